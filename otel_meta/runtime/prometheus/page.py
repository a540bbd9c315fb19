"""One page of families: each name once, each series once, and what cannot be shown left out."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

from otel_meta.runtime.gil import GilYielder
from otel_meta.runtime.recording.faults import OnFault

from .families import MetricFamily, joined
from .formats import Format

END: Final = b"# EOF\n"
"""What an OpenMetrics page ends with."""


def render(
    families: Iterable[MetricFamily],
    written: Format,
    on_fault: OnFault,
    names: Collection[str] = (),
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[bytes]:
    """A page in a format, piece by piece, between which other threads get their turn.

    Args:
        families: those of importance first: of two that cannot both be shown, the first is.
        written: the format.
        on_fault: is told of families that are left out.
        names: of families or their samples, if the page is to have these alone.
        pause: sleeps for some seconds.
    """
    turns = GilYielder(pause=pause)
    for family in merge_families(families, on_fault):
        if names and family.head.names.isdisjoint(names):
            continue
        pieces: list[bytes] = []
        try:
            for piece in family.pieces(written):
                pieces.append(piece.encode("utf-8", "replace"))
                turns.maybe_yield()
        except Exception as error:
            on_fault(family.head.name, "not exposed", error)
        else:
            yield from pieces
    if written.openmetrics:
        yield END


def merge_families(families: Iterable[MetricFamily], on_fault: OnFault) -> Iterator[MetricFamily]:
    """Families that share no name; those of one name and type as one."""
    shown: dict[str, MetricFamily] = {}
    taken: set[str] = set()
    for family in families:
        head = family.head
        try:
            if head.name in shown:
                shown[head.name] = joined(shown[head.name], family)
            elif clash := head.names & taken:
                on_fault(head.name, "conflict", f"{min(clash)} is a series of another metric")
            else:
                shown[head.name] = family
                taken |= head.names
        except ValueError as error:
            on_fault(head.name, "conflict", error)
    return iter(shown.values())

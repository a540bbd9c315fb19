"""Pages of metric families: duplicates are merged, conflicts and failures left out.

Both text formats allow each family name and each series once in a page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from io import BytesIO
from typing import Final

from otel_meta.runtime.gil import GilYielder
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import OnFault

from .families import MetricFamily, merge
from .text_format import TextFormat

CONFLICT: Final = "conflict"
"""The reason of faults of families whose name another family has."""
PAGE_HOLD: Final = 0.0002
"""Seconds for which the rendering holds the GIL.

A page is rendered every few seconds beside requests that release the GIL several times each. Other
long loops run once for new series, so that they end sooner with fewer pauses.
"""
EOF: Final = b"# EOF\n"
"""The last line of an OpenMetrics page."""


def render_page(
    families: Iterable[MetricFamily],
    text_format: TextFormat,
    on_fault: OnFault,
    names: Collection[str] = (),
    pause: Callable[[float], None] = time.sleep,
) -> bytes:
    """Render a page. The GIL is yielded to other threads between the chunks of a family.

    Each chunk is appended at once, while it is in the cache of the processor. If a family fails,
    its chunks are cut off: no line of the family is on the page.

    Args:
        families: the families, the more important first: the first wins a conflict.
        text_format: the format of the page.
        on_fault: called for each family left out.
        names: names of families or samples, if the page is limited to these.
        pause: sleeps for some seconds.
    """
    yielder = GilYielder(PAGE_HOLD, pause=pause)
    page = BytesIO()
    for family in merge_families(families, on_fault):
        if names and family.metadata.reserved_names.isdisjoint(names):
            continue
        end = page.tell()
        try:
            for chunk in family.chunks(text_format):
                page.write(chunk.encode("utf-8", "replace"))
                yielder.maybe_yield()
        except Exception as error:
            reraise_interruption(error)
            page.seek(end)
            page.truncate()
            on_fault(family.metadata.name, "not exposed", error)
    if text_format.openmetrics:
        page.write(EOF)
    return page.getvalue()


def merge_families(families: Iterable[MetricFamily], on_fault: OnFault) -> Iterator[MetricFamily]:
    """Merge families of equal name and type; leave out families with conflicting names."""
    merged: dict[str, MetricFamily] = {}
    reserved: set[str] = set()
    for family in families:
        metadata = family.metadata
        try:
            if metadata.name in merged:
                merged[metadata.name] = merge(merged[metadata.name], family)
            elif clash := metadata.reserved_names & reserved:
                detail = f"{min(clash)} is a series of another metric, which the page shows instead"
                on_fault(metadata.name, CONFLICT, detail)
            else:
                merged[metadata.name] = family
                reserved |= metadata.reserved_names
        except ValueError as error:
            reraise_interruption(error)
            on_fault(metadata.name, CONFLICT, error)
    return iter(merged.values())

"""Adding up series of one metric: which have a place of their own, and what they come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import TypeVar

from otel_meta.runtime.recording.family import OVERFLOW
from otel_meta.runtime.recording.instrument_kinds import WorkerMerge

T = TypeVar("T")

Numbers = Sequence[float]


def within_limit(
    found: Mapping[tuple[str, ...], list[tuple[int, T]]], limit: int
) -> dict[tuple[str, ...], list[tuple[int, T]]]:
    """The same series, those beyond the limit put together in the one of the overflow.

    The series that began first keep their place, whoever looks and whoever has died since: so no
    series that was there disappears because another comes.

    Args:
        found: by label values, whatever makes up each series, with when that began.
        limit: how many there may be besides that of the overflow.
    """
    own = {labels: parts for labels, parts in found.items() if labels is not OVERFLOW}
    over = list(found.get(OVERFLOW, ()))
    if len(own) > limit:
        oldest_first = sorted(own, key=lambda labels: (_began(own[labels]), labels))
        over.extend(part for labels in oldest_first[limit:] for part in own[labels])
        own = {labels: own[labels] for labels in oldest_first[:limit]}
    return {**own, OVERFLOW: over} if over else own


def _began(parts: Iterable[tuple[int, object]]) -> int:
    return min(began for began, _ in parts)


def added(parts: Iterable[Numbers]) -> Numbers:
    """Sums and counts of several workers, one by one."""
    return [sum(column) for column in zip(*parts, strict=True)]


def latest(parts: Iterable[Numbers]) -> Numbers:
    """The value of a gauge that was set last."""
    return max(parts, key=itemgetter(1))


def merged_numbers(merge: WorkerMerge, parts: Iterable[Numbers]) -> Numbers:
    """Merge the numbers that workers which ended have left of one series."""
    match merge:
        case "sum" | "live_sum":
            return added(parts)
        case "multiprocess_mode":
            return latest(parts)

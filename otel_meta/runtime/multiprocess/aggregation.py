"""Aggregation of one metric's series over several workers: cardinality limit, sum, latest value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import TypeVar

from otel_meta.runtime.recording.family import OVERFLOW
from otel_meta.runtime.recording.instrument_kinds import WorkerMerge

T = TypeVar("T")

Numbers = Sequence[float]


def within_limit(
    found: Mapping[tuple[str, ...], tuple[T, ...]], limit: int, start_of: Callable[[T], int]
) -> dict[tuple[str, ...], tuple[T, ...]]:
    """Move the parts of series over the limit to the overflow series.

    Series are ranked by start time. The result is the same in every worker, and a new series never
    displaces an old series.

    Args:
        found: the parts of each series by label values.
        limit: greatest number of series, without the overflow series.
        start_of: returns the start time of a part.
    """
    own = dict(found)
    if OVERFLOW in found:
        own = {labels: parts for labels, parts in found.items() if labels is not OVERFLOW}
    over = list(found.get(OVERFLOW, ()))
    if len(own) > limit:
        oldest_first = sorted(own, key=lambda labels: (min(map(start_of, own[labels])), labels))
        over.extend(part for labels in oldest_first[limit:] for part in own[labels])
        own = {labels: own[labels] for labels in oldest_first[:limit]}
    return {**own, OVERFLOW: tuple(over)} if over else own


def added(parts: Iterable[Numbers]) -> Numbers:
    """Return the sums of several workers' numbers, position by position."""
    return [sum(column) for column in zip(*parts, strict=True)]


def latest(parts: Iterable[Numbers]) -> Numbers:
    """Return the numbers of the gauge with the latest time of its `set()`."""
    return max(parts, key=itemgetter(1))


def merged_numbers(merge: WorkerMerge, parts: Iterable[Numbers]) -> Numbers:
    """Merge the numbers of one series of several dead workers."""
    match merge:
        case "sum" | "live_sum":
            return added(parts)
        case "multiprocess_mode":
            return latest(parts)

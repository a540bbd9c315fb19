"""Views of a histogram's counts: by declared buckets, and by exponential buckets.

The cell of a native histogram counts by declared and by exponential bounds together. A bucket of
either view is a range of these finer buckets, so each view is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, groupby, pairwise
from operator import itemgetter
from typing import Final, NamedTuple

from otel_meta.model.bucket_bounds import exponential_bound, exponential_index
from otel_meta.runtime.recording.exemplars import Exemplar


class Span(NamedTuple):
    """Consecutive exponential buckets with values."""

    first: int
    """The index of the first bucket; the bucket 0 ends at 1."""
    counts: tuple[int, ...]


class ExponentialCounts(NamedTuple):
    """Counts by exponential buckets, as in Prometheus' native histograms.

    Values below the lowest bound are in the zero bucket. Values above the highest bound are in the
    first bucket above it, because their size is unknown.
    """

    zero_threshold: float
    zero_count: int
    spans: tuple[Span, ...]


class BucketViews:
    """The two views of a native histogram.

    Args:
        counted: the bounds by which the cell counts.
        declared: the declared bounds.
    """

    def __init__(self, counted: tuple[float, ...], declared: tuple[float, ...]) -> None:
        self.bounds: Final = declared
        self._counted: Final = counted
        self._declared_ends: Final = tuple(counted.index(bound) + 1 for bound in declared)
        self._bucket: Final = tuple(
            sum(end <= bucket for end in self._declared_ends) for bucket in range(len(counted) + 1)
        )
        """For each counted bucket, the index of its declared bucket."""
        indexes = range(exponential_index(counted[0]), exponential_index(counted[-1]) + 1)
        self._first_index: Final = indexes[0] + 1
        self._exponential_ends: Final = tuple(
            counted.index(exponential_bound(index)) + 1 for index in indexes
        )

    def declared(self, counts: Sequence[int]) -> list[int]:
        """Return the counts of the declared buckets, of which the last is unbounded."""
        return _merged(counts, self._declared_ends)

    def declared_exemplars(self, exemplars: Mapping[int, Exemplar]) -> Mapping[int, Exemplar]:
        """Return the latest exemplar of each declared bucket."""
        if not exemplars:
            return exemplars
        oldest_first = sorted(exemplars.items(), key=lambda item: item[1].time_ns)
        return {self._bucket[bucket]: exemplar for bucket, exemplar in oldest_first}

    def exponential(self, counts: Sequence[int]) -> ExponentialCounts:
        """Return the counts of the exponential buckets."""
        zero_count, *others = _merged(counts, self._exponential_ends)
        return ExponentialCounts(self._counted[0], zero_count, tuple(self._spans(others)))

    def _spans(self, counts: Sequence[int]) -> Iterator[Span]:
        numbered = enumerate(counts, start=self._first_index)
        for has_values, buckets in groupby(numbered, key=lambda bucket: bucket[1] > 0):
            if has_values:
                (first, _), *_ = found = list(buckets)
                yield Span(first, tuple(map(itemgetter(1), found)))


@lru_cache(maxsize=1024)
def bucket_views(counted: tuple[float, ...], declared: tuple[float, ...]) -> BucketViews | None:
    """Return the views of the counts of a cell; None if it counts by the declared bounds alone."""
    return None if counted == declared else BucketViews(counted, declared)


def _merged(counts: Sequence[int], ends: tuple[int, ...]) -> list[int]:
    """Add up neighbours: the first range begins at 0, each other at the end of the one before."""
    cumulative = (0, *accumulate(counts))
    edges = (0, *(cumulative[end] for end in ends), cumulative[-1])
    return [upper - lower for lower, upper in pairwise(edges)]

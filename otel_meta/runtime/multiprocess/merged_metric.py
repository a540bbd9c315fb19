"""A metric of a whole service: its values are read in the mapped files of all workers.

`MergedFamily` and its cells have the interface of `recording.family` and `recording.cells`, so the
exposition and the SLO tracker take both.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import add, itemgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from otel_meta.model import Instrument
from otel_meta.model.kind_traits import KIND_TRAITS, Kind
from otel_meta.model.kinds import MultiprocessMode
from otel_meta.runtime.gil import yielding_gil
from otel_meta.runtime.recording.exemplars import Exemplar
from otel_meta.runtime.recording.family import OVERFLOW

from .aggregation import within_limit
from .descriptor import MetricDescriptor, instrument_of
from .reader import START, MappedSeries

Reading = tuple[float, float]
"""Value of a gauge in one worker, and the time of its `set()` in Unix seconds."""

_NO_EXEMPLARS: Final[Mapping[int, Exemplar]] = MappingProxyType({})


class MergedCell:
    """One series: its label values in declared order, and its parts."""

    __slots__ = ("labels", "local_cell", "parts", "rendered", "start_ns")

    def __init__(self, labels: tuple[str, ...], _descriptor: MetricDescriptor) -> None:
        self.labels = labels
        self.parts: Sequence[MappedSeries] = ()
        """The shares of the workers and of the totals."""
        self.local_cell: Any = None
        """The cell of this process, which has exemplars."""
        self.rendered: object = None
        """Cache for the exposition: the unchanging parts of the text."""
        self.start_ns = 0


class MergedSum(MergedCell):
    """A counter or an up-down counter: the sum over workers."""

    __slots__ = ()

    @property
    def exemplar(self) -> Exemplar | None:
        """The exemplar of this process."""
        exemplar: Exemplar | None = getattr(self.local_cell, "exemplar", None)
        return exemplar

    @property
    def value(self) -> float:
        """The sum."""
        total = 0.0
        for _, _, _, words, first in self.parts:
            total += words[first]
        return total

    def read(self) -> tuple[float, ...]:
        """Return the sum, as `Cell.read` does."""
        return (self.value,)


class MergedGauge(MergedCell):
    """A gauge over workers."""

    __slots__ = ("_aggregate",)

    def __init__(self, labels: tuple[str, ...], descriptor: MetricDescriptor) -> None:
        super().__init__(labels, descriptor)
        self._aggregate = _AGGREGATE[descriptor.multiprocess_mode]

    @property
    def value(self) -> float | None:
        """The workers' values, aggregated by the declared mode; None before the first `set()`."""
        return self._aggregate([(words[i], words[i + 1]) for _, _, _, words, i in self.parts])

    @property
    def set_at(self) -> float:
        """Time of the latest `set()` in Unix seconds; 0.0 before the first."""
        return max(words[first + 1] for _, _, _, words, first in self.parts)


class MergedHistogram(MergedCell):
    """A histogram over workers."""

    __slots__ = ("_descriptor", "bounds")

    def __init__(self, labels: tuple[str, ...], descriptor: MetricDescriptor) -> None:
        super().__init__(labels, descriptor)
        self._descriptor = descriptor
        self.bounds = descriptor.bounds

    @property
    def exemplars(self) -> Mapping[int, Exemplar]:
        """The exemplars of this process, by index of the bucket."""
        exemplars: Mapping[int, Exemplar] = getattr(self.local_cell, "exemplars", _NO_EXEMPLARS)
        return exemplars

    def snapshot(self) -> tuple[list[int], float]:
        """Return the count of each bucket, and the sum of all values.

        Counts never decrease. The sum never decreases while all values are positive.
        """
        *counts, total = self.read()
        return list(map(int, counts)), total

    def read(self) -> tuple[float, ...]:
        """Return the count of each bucket and the sum, as `Cell.read` does."""
        numbers: Sequence[float] = [0.0] * (len(self.bounds) + 2)
        for part in self.parts:
            numbers = list(map(add, numbers, self._numbers(part)))
        return tuple(numbers)

    def _numbers(self, part: MappedSeries) -> Sequence[float]:
        declared, _, _, words, first = part
        if declared.bounds == self.bounds:
            return words[first : first + len(self.bounds) + 2].tolist()
        buckets = conversion(declared, self._descriptor).buckets
        *counts, total = words[first : first + len(buckets) + 1]
        numbers = [0.0] * (len(self.bounds) + 1)
        for bucket, count in zip(buckets, counts, strict=True):
            numbers[bucket] += count
        return [*numbers, total]


class Share(NamedTuple):
    """The series of a metric in one file, of one declaration."""

    worker_number: int | None
    """None for a dead worker."""
    descriptor: MetricDescriptor
    series: Iterable[MappedSeries]


class MergedFamily:
    """The series of a metric over all workers.

    Args:
        descriptor: the declaration to show. Series of other versions are converted to it.

    Raises:
        DeclarationError: this version of otel_meta refuses the declaration.
    """

    def __init__(self, descriptor: MetricDescriptor) -> None:
        self.descriptor: Final = descriptor
        self.instrument: Final[Instrument[...]] = instrument_of(descriptor)
        self.cache_key: object = None
        """Key of the files merged last, for the caller of `merge`."""
        self.youngest_ns = 0
        """The latest start of a series."""
        self._cells: dict[tuple[str, ...], Any] = {}
        self._cell_class: Final = _cell_class(descriptor.kind)

    def cells(self) -> Iterator[Any]:
        """Iterate over all series, the overflow series last."""
        return iter(list(self._cells.values()))

    def at_zero(self, cell: MergedCell) -> MergedCell:
        """Return a cell that looks as the given one did at its start."""
        zero = type(cell)(cell.labels, self.descriptor)
        zero.start_ns, zero.rendered = cell.start_ns, cell.rendered
        return zero

    def merge(self, found: Iterable[Share]) -> None:
        """Replace the series.

        Args:
            found: the shares of all workers and of the totals.
        """
        parts: dict[tuple[str, ...], tuple[MappedSeries, ...]] = {}
        for share in found:
            labels_of = conversion(share.descriptor, self.descriptor).labels
            for series in yielding_gil(share.series):
                labels = labels_of(series.labels, share.worker_number)
                parts[labels] = (*parts.get(labels, ()), series)
        limited = within_limit(parts, self.descriptor.max_series, START)
        cells = ((labels, self._cell(labels, parts)) for labels, parts in limited.items())
        self._cells = dict(yielding_gil(cells))
        self.youngest_ns = max((cell.start_ns for cell in self._cells.values()), default=0)

    def attach_exemplars(self, cells: Iterable[Any]) -> None:
        """Take exemplars from cells of this process. Their metric has an equal descriptor."""
        for cell in yielding_gil(cells):
            merged = self._cells.get(cell.labels)
            if merged is not None:
                merged.local_cell = cell

    def _cell(self, labels: tuple[str, ...], parts: tuple[MappedSeries, ...]) -> MergedCell:
        cell: MergedCell = self._cells.get(labels) or self._cell_class(labels, self.descriptor)
        cell.parts = parts
        cell.start_ns = min(map(START, parts))
        return cell


def _cell_class(kind: Kind) -> type[MergedCell]:
    match KIND_TRAITS[kind].point:
        case "sum":
            return MergedSum
        case "gauge":
            return MergedGauge
        case "histogram":
            return MergedHistogram


class Conversion(NamedTuple):
    """Conversion of series from an old declaration of a metric to a new declaration."""

    source: tuple[int | None, ...] | None
    """For each label, its index among the old labels; None altogether if the labels are equal."""
    buckets: tuple[int, ...]
    """For each old bucket, the index of the new bucket."""
    is_per_worker: bool

    def labels(self, values: tuple[str, ...], worker_number: int | None) -> tuple[str, ...]:
        """Return the new label values. A label missing from the old version has the value ""."""
        if values is OVERFLOW:
            return OVERFLOW
        if self.source is not None:
            values = tuple("" if index is None else values[index] for index in self.source)
        return (*values, str(worker_number)) if self.is_per_worker else values


@lru_cache(maxsize=1024)
def conversion(old: MetricDescriptor, new: MetricDescriptor) -> Conversion:
    """Return the conversion from one version of a metric to another.

    The count of a bucket moves to the next higher bound: no value is lost, and no bucket counts a
    value above its bound.
    """
    source = tuple(old.labels.index(n) if n in old.labels else None for n in new.labels)
    buckets = (*(bisect_left(new.bounds, bound) for bound in old.bounds), len(new.bounds))
    return Conversion(
        None if old.labels == new.labels else source,
        buckets,
        new.is_per_worker,
    )


def _newest(readings: list[Reading]) -> float | None:
    value, set_at = max(readings, key=itemgetter(1))
    return value if set_at else None


def _over_set_values(
    function: Callable[[list[float]], float],
) -> Callable[[list[Reading]], float | None]:
    def value(readings: list[Reading]) -> float | None:
        known = [value for value, set_at in readings if set_at]
        return function(known) if known else None

    return value


_AGGREGATE: Final[Mapping[MultiprocessMode, Callable[[list[Reading]], float | None]]] = {
    "mostrecent": _newest,
    "all": _newest,
    "sum": _over_set_values(sum),
    "max": _over_set_values(max),
    "min": _over_set_values(min),
}

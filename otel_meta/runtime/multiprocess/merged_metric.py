"""A metric of a whole service: series that are read where the workers write them.

They look like the cells and families of one process, so that whoever exposes or judges those can
do so with these.
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

from .descriptor import Declared, instrument_of
from .merging import within_limit
from .reader import Series

Reading = tuple[float, float]
"""A gauge's value in one worker, and when it was set."""

_NO_EXEMPLARS: Final[Mapping[int, Exemplar]] = MappingProxyType({})


class Part(NamedTuple):
    """What one worker, or the dead, have recorded of a series."""

    words: memoryview[float]
    at: int
    buckets: tuple[int, ...] | None = None
    """Of a histogram with other bounds: which of the new buckets takes each of the old."""


class MergedCell:
    """One series: its label values in declared order, and its parts."""

    __slots__ = ("labels", "own", "parts", "rendered", "start_ns")

    def __init__(self, labels: tuple[str, ...], _of: Declared) -> None:
        self.labels = labels
        self.parts: Sequence[Part] = ()
        self.own: Any = None
        """The cell of this process, which has exemplars."""
        self.rendered: object = None
        """For whoever exposes the series, to keep what is the same in every exposition."""
        self.start_ns = 0


class MergedSum(MergedCell):
    """A sum over workers."""

    __slots__ = ()

    @property
    def exemplar(self) -> Exemplar | None:
        """One of this process' own."""
        exemplar: Exemplar | None = getattr(self.own, "exemplar", None)
        return exemplar

    @property
    def value(self) -> float:
        """The sum."""
        total = 0.0
        for words, at, _ in self.parts:
            total += words[at]
        return total


class MergedGauge(MergedCell):
    """A gauge over workers."""

    __slots__ = ("_choose",)

    def __init__(self, labels: tuple[str, ...], of: Declared) -> None:
        super().__init__(labels, of)
        self._choose = _CHOOSE[of.multiprocess_mode]

    @property
    def value(self) -> float | None:
        """What the declared way makes of the workers' values; None until one has set it."""
        return self._choose([(words[at], words[at + 1]) for words, at, _ in self.parts])

    @property
    def set_at(self) -> float:
        """When it was set last, in seconds since the epoch; 0.0 where it never was."""
        return max(words[at + 1] for words, at, _ in self.parts)


class MergedBuckets(MergedCell):
    """A histogram over workers."""

    __slots__ = ("bounds",)

    def __init__(self, labels: tuple[str, ...], of: Declared) -> None:
        super().__init__(labels, of)
        self.bounds = of.bounds

    @property
    def exemplars(self) -> Mapping[int, Exemplar]:
        """Those of this process' own, by the index of their bucket."""
        exemplars: Mapping[int, Exemplar] = getattr(self.own, "exemplars", _NO_EXEMPLARS)
        return exemplars

    def snapshot(self) -> tuple[list[int], float]:
        """Counts by bucket and the sum of the values. Each only grows while values are positive."""
        numbers = [0.0] * (len(self.bounds) + 2)
        for part in self.parts:
            numbers = list(map(add, numbers, self._numbers(part)))
        total = numbers.pop()
        return list(map(int, numbers)), total

    def _numbers(self, part: Part) -> Sequence[float]:
        words, at, buckets = part
        if buckets is None:
            return words[at : at + len(self.bounds) + 2].tolist()
        *counts, total = words[at : at + len(buckets) + 1]
        numbers = [0.0] * (len(self.bounds) + 1)
        for bucket, count in zip(buckets, counts, strict=True):
            numbers[bucket] += count
        return [*numbers, total]


class MergedFamily:
    """The series of a metric over all workers.

    Args:
        of: as which it is shown; what other versions have recorded is fitted to that.
    """

    def __init__(self, of: Declared) -> None:
        self.of: Final = of
        self.instrument: Final[Instrument[...]] = instrument_of(of)
        self.stamp: object = None
        """Of what it was put together; for whoever does that."""
        self._cells: dict[tuple[str, ...], Any] = {}

    def cells(self) -> Iterator[Any]:
        """Every series there is, that of the overflow last."""
        return iter(list(self._cells.values()))

    def put_together(self, found: Iterable[tuple[int | None, Series]]) -> None:
        """Have the series of these, each with the slot of its worker, None for the dead."""
        parts: dict[tuple[str, ...], list[tuple[int, Part]]] = {}
        for slot, series in yielding_gil(found):
            fit = fitting(series.of, self.of)
            part = Part(series.words, series.at, fit.buckets)
            parts.setdefault(fit.labels(series.labels, slot), []).append((series.start_ns, part))
        limited = within_limit(parts, self.of.limit)
        cells = ((labels, self._cell(labels, parts)) for labels, parts in limited.items())
        self._cells = dict(yielding_gil(cells))

    def show_exemplars_of(self, cells: Iterable[Any]) -> None:
        """Have the exemplars of this process' own series of the same declaration."""
        for cell in yielding_gil(cells):
            merged = self._cells.get(cell.labels)
            if merged is not None:
                merged.own = cell

    def _cell(self, labels: tuple[str, ...], parts: list[tuple[int, Part]]) -> MergedCell:
        cell = self._cells.get(labels) or _cell_class(self.of.kind)(labels, self.of)
        cell.parts = [part for _, part in parts]
        cell.start_ns = min(start for start, _ in parts)
        return cell


def _cell_class(kind: Kind) -> type[MergedCell]:
    match KIND_TRAITS[kind].point:
        case "sum":
            return MergedSum
        case "gauge":
            return MergedGauge
        case "histogram":
            return MergedBuckets


class Fitting(NamedTuple):
    """How series of one declaration become series of another."""

    source: tuple[int | None, ...] | None
    """For each label, its place in the old ones; None altogether where they are the same."""
    buckets: tuple[int, ...] | None
    separate: bool

    def labels(self, values: tuple[str, ...], slot: int | None) -> tuple[str, ...]:
        """The new label values; "" where the old version had no such label."""
        if values is OVERFLOW:
            return OVERFLOW
        if self.source is not None:
            values = tuple("" if at is None else values[at] for at in self.source)
        return (*values, str(slot)) if self.separate else values


@lru_cache(maxsize=1024)
def fitting(old: Declared, new: Declared) -> Fitting:
    """How to fit the series of one version into those of another.

    Counts go to the next higher bound: none is lost, and no bucket claims a value above its bound.
    """
    source = tuple(old.labels.index(n) if n in old.labels else None for n in new.labels)
    buckets = (*(bisect_left(new.bounds, bound) for bound in old.bounds), len(new.bounds))
    return Fitting(
        None if old.labels == new.labels else source,
        None if old.bounds == new.bounds else buckets,
        new.separate,
    )


def _newest(readings: list[Reading]) -> float | None:
    value, set_at = max(readings, key=itemgetter(1))
    return value if set_at else None


def _of_all(choose: Callable[[list[float]], float]) -> Callable[[list[Reading]], float | None]:
    def value(readings: list[Reading]) -> float | None:
        known = [value for value, set_at in readings if set_at]
        return choose(known) if known else None

    return value


_CHOOSE: Final[Mapping[MultiprocessMode, Callable[[list[Reading]], float | None]]] = {
    "mostrecent": _newest,
    "all": _newest,
    "sum": _of_all(sum),
    "max": _of_all(max),
    "min": _of_all(min),
}

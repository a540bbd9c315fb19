"""Live instruments and handles: the methods that a service calls on its hot path.

A recording never raises into the application. If a cell refuses a recording, the slow path tries
again: it creates missing series and finds the error. Invalid recordings are dropped and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Generic, Self

from .cells import GaugeCell, HistogramCell, SumCell
from .family import CellT, Family
from .faults import Faults
from .label_values import UnknownLabelError
from .timer import Timer
from .typed_call import Call, typed_call
from .validation import finite_float, non_negative_float

_SECONDS: Final[Mapping[str, float]] = {"s": 1.0, "d": 86_400.0}
"""Seconds in each unit of time that an instrument may have."""

_MAX_ATTEMPTS: Final = 100
"""Attempts to record into a series that another thread removes after each lookup."""


class Recorder(Generic[CellT]):
    """Base class of the live instruments: finds series and reports dropped recordings."""

    __slots__ = ("_family", "_faults")

    method: ClassVar[str]
    """The recording method of the cell."""

    def __init__(self, family: Family[CellT], faults: Faults) -> None:
        self._family = family
        self._faults = faults

    def __repr__(self) -> str:
        series = len(self._family.by_values)
        return f"<{type(self).__name__} of {self.name!r}, {series} series>"

    @property
    def name(self) -> str:
        """OpenTelemetry's name of the metric."""
        return self._family.instrument.name

    def find(self, labels: Mapping[str, Any]) -> CellT | None:
        """Return the series with these labels; report invalid labels and return None."""
        try:
            return self._family.find(labels)
        except Exception as error:
            self._report(error)
            return None

    def record_slow_path(
        self, value: Any, positional: tuple[Any, ...], labels: Mapping[str, Any]
    ) -> CellT | None:
        """Record with full validation, and create the series if necessary.

        Args:
            value: the value to record.
            positional: further positional arguments, of which there should be none.
            labels: the labels by name.

        Returns:
            The series; None, after a report, if the recording is invalid.
        """
        try:
            number = self._number(value)  # first, so that an invalid value creates no series
            return self._record(number, positional, labels)
        except Exception as error:
            self._report(error)
            return None

    def remove(self, /, **labels: Any) -> None:
        """Remove the series with these labels; a later recording starts at zero."""
        try:
            self._family.remove(labels)
        except Exception as error:
            self._report(error)

    def _number(self, value: Any) -> float:
        return finite_float(value)

    def _record(
        self, number: float, positional: tuple[Any, ...], labels: Mapping[str, Any]
    ) -> CellT:
        if positional:
            raise UnknownLabelError("takes labels by name")
        for _ in range(_MAX_ATTEMPTS):
            cell = self._family.find(labels)
            try:
                getattr(cell, self.method)(number)
            except TypeError:  # removed after the lookup
                continue
            return cell
        raise TypeError(f"was removed {_MAX_ATTEMPTS} times while {number!r} was recorded")

    def _typed_call(self) -> Call:
        family = self._family
        fields = family.instrument.label_fields
        return typed_call(self.method, fields, family.by_values, self.record_slow_path)

    def _report(self, error: Exception) -> None:
        reason = "labels" if isinstance(error, UnknownLabelError) else "value"
        self._faults.report(self._family.instrument.prometheus_name, reason, error)


class UpDownCounterRecorder(Recorder[SumCell]):
    """Adds finite amounts."""

    __slots__ = ("add",)

    method = "add"

    def __init__(self, family: Family[SumCell], faults: Faults) -> None:
        super().__init__(family, faults)
        self.add: Call = self._typed_call()

    def with_labels(self, /, **labels: Any) -> CounterHandle:
        """Return a handle on the series with these labels."""
        return CounterHandle(self, labels)


class CounterRecorder(UpDownCounterRecorder):
    """Adds finite amounts of at least 0."""

    __slots__ = ()

    def _number(self, value: Any) -> float:
        return non_negative_float(value)


class GaugeRecorder(Recorder[GaugeCell]):
    """Keeps the latest finite value."""

    __slots__ = ("set",)

    method = "set"

    def __init__(self, family: Family[GaugeCell], faults: Faults) -> None:
        super().__init__(family, faults)
        self.set: Call = self._typed_call()

    def with_labels(self, /, **labels: Any) -> GaugeHandle:
        """Return a handle on the series with these labels."""
        return GaugeHandle(self, labels)


class HistogramRecorder(Recorder[HistogramCell]):
    """Counts finite values by bucket."""

    __slots__ = ("record",)

    method = "record"

    def __init__(self, family: Family[HistogramCell], faults: Faults) -> None:
        super().__init__(family, faults)
        self.record: Call = self._typed_call()

    def with_labels(self, /, **labels: Any) -> HistogramHandle:
        """Return a handle on the series with these labels."""
        return HistogramHandle(self, labels)

    def time(self, /, **labels: Any) -> Timer:
        """Record the duration of a block or a function."""
        return Timer(self._record_time, labels)

    def _record_time(self, seconds: float, labels: Mapping[str, Any]) -> None:
        unit = self._family.instrument.unit
        if unit in _SECONDS:
            self.record(seconds / _SECONDS[unit], **labels)
        else:
            self._report(ValueError(f"a time cannot be recorded in the unit {unit!r}"))


class Handle(Generic[CellT]):
    """Base class of the handles: keeps the cell of one series."""

    __slots__ = ("_cell", "_labels", "_recorder")

    def __init__(self, recorder: Recorder[CellT], labels: Mapping[str, Any]) -> None:
        self._recorder = recorder
        self._labels = labels
        self._cell: Any = recorder.find(labels)

    def __repr__(self) -> str:
        labels = ", ".join(f"{name}={value!r}" for name, value in self._labels.items())
        return f"<{type(self).__name__} of {self._recorder.name!r}, {labels or 'no labels'}>"

    def with_labels(self) -> Self:
        """Return this handle."""
        return self

    def remove(self) -> None:
        """Remove the series; a later recording starts at zero."""
        self._recorder.remove(**self._labels)

    def _record_slow_path(self, value: Any) -> None:
        self._cell = self._recorder.record_slow_path(value, (), self._labels) or self._cell


class CounterHandle(Handle[SumCell]):
    """Adds to one series."""

    __slots__ = ()

    def add(self, amount: float, /) -> None:
        """Add to the series."""
        try:
            self._cell.add(amount)
        except Exception:
            self._record_slow_path(amount)


class GaugeHandle(Handle[GaugeCell]):
    """Sets one series."""

    __slots__ = ()

    def set(self, value: float, /) -> None:
        """Replace the value of the series."""
        try:
            self._cell.set(value)
        except Exception:
            self._record_slow_path(value)


class HistogramHandle(Handle[HistogramCell]):
    """Records into one series."""

    __slots__ = ()

    _recorder: HistogramRecorder

    def record(self, value: float, /) -> None:
        """Count a value in the series."""
        try:
            self._cell.record(value)
        except Exception:
            self._record_slow_path(value)

    def time(self) -> Timer:
        """Record the duration of a block or a function."""
        return self._recorder.time(**self._labels)

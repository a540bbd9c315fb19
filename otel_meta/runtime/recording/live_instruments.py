"""Live instruments and handles: the methods that a service calls on its hot path.

A recording raises nothing of its own into the application. If a cell refuses a recording, the slow
path tries again: it creates missing series and finds the mistake. Invalid recordings are dropped
and counted. Whatever a signal handler raises meanwhile does reach the application: no ``try`` block
contains the update of a cell, so no update is repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Generic, NoReturn, Self

from .cells import GaugeCell, HistogramCell, SumCell
from .family import CellT, Family
from .faults import Faults
from .label_values import UnknownLabelError
from .missing_methods import NamesMethods
from .recording_calls import BoundCall, Call
from .timer import Timer
from .validation import describe_refusal, finite_float, non_negative_float

_SECONDS: Final[Mapping[str, float]] = {"s": 1.0, "d": 86_400.0}
"""Seconds in each unit of time that an instrument may have."""

_MAX_ATTEMPTS: Final = 100
"""Attempts to record into a series that another thread removes after each lookup."""


class Reference(NamesMethods):
    """Base class of live instruments and handles: references to the series of this process."""

    __slots__ = ()

    def __copy__(self) -> Self:
        """Return the reference itself."""
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        """Return the reference itself."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled.

        Raises:
            TypeError: always; another process has series of its own.
        """
        raise _cannot_be_pickled(self)


class Recorder(Reference, Generic[CellT]):
    """Base class of the live instruments: finds series and reports dropped recordings."""

    __slots__ = ("_family", "_faults")

    method: ClassVar[str]
    """The recording method of the cell."""

    def __init__(self, family: Family[CellT], faults: Faults) -> None:
        self._family = family
        self._faults = faults

    def __repr__(self) -> str:
        return f"<{self.title}, {len(self._family.by_values)} series>"

    @property
    def title(self) -> str:
        """The kind, the name and the meta-repository."""
        instrument = self._family.instrument
        owner = f" of {instrument.owner!r}" if instrument.owner else ""
        return f"{type(instrument).__name__} {instrument.name!r}{owner}"

    def begin(self) -> None:
        """Create the series that begin at zero."""
        self._family.cells()

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
        number = self._number(value)  # first, so that an invalid value creates no series
        if number is None:
            mistake, detail = describe_refusal(value)
            self._report("value", detail, mistake)
            return None
        try:
            values = self._values(positional, labels)
        except UnknownLabelError as error:
            self._report("labels", str(error))
            return None
        return self._record(number, values)

    def remove(self, /, **labels: Any) -> None:
        """Remove the series with these labels; a later recording starts at zero."""
        try:
            self._family.remove(labels)
        except UnknownLabelError as error:
            self._report("labels", str(error))

    def _find(self, labels: Mapping[str, Any]) -> CellT | None:
        """Return the series with these labels; report invalid labels and return None."""
        try:
            return self._family.find(labels)
        except UnknownLabelError as error:
            self._report("labels", str(error))
            return None

    def _number(self, value: Any) -> float | None:
        return finite_float(value)

    def _values(self, positional: tuple[Any, ...], labels: Mapping[str, Any]) -> tuple[str, ...]:
        if positional:
            names = ", ".join(f"{field.name}=..." for field in self._family.instrument.label_fields)
            raise UnknownLabelError(f"takes labels by name: {self.method}(value, {names})")
        return self._family.values(labels)

    def _record(self, number: float, values: tuple[str, ...]) -> CellT | None:
        for _ in range(_MAX_ATTEMPTS):
            cell = self._family.series(values)
            if getattr(cell, self.method)(number):
                return cell
        self._report("value", f"was removed {_MAX_ATTEMPTS} times while {number!r} was recorded")
        return None

    def _typed_call(self) -> Call:
        family = self._family
        return family.calls.typed(family, self.method, self.record_slow_path)

    def bound_call(self, labels: Mapping[str, Any]) -> BoundCall:
        """Return the function that records into the series with these labels."""
        family, cell = self._family, self._find(labels) or _NO_SERIES
        return family.calls.bound(family, self.method, cell, labels, self.record_slow_path)

    def _report(self, reason: str, detail: str, mistake: str | None = None) -> None:
        name = self._family.instrument.prometheus_name
        self._faults.report(name, reason, detail, mistake or detail)


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

    def _number(self, value: Any) -> float | None:
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
        return Timer(self.record_time, labels)

    def record_time(self, seconds: float, labels: Mapping[str, Any]) -> None:
        """Record a duration in the unit of the instrument."""
        unit = self._family.instrument.unit
        if unit in _SECONDS:
            self.record(seconds / _SECONDS[unit], **labels)
        else:
            self._report("value", f"a time cannot be recorded in the unit {unit!r}")


class _NoSeries:
    """In place of a series whose labels are invalid: refuses every recording."""

    __slots__ = ("bounds", "writable")

    def __init__(self) -> None:
        self.bounds = ()
        self.writable = False

    def add(self, _value: Any) -> bool:
        return False

    set = record = add


_NO_SERIES: Final = _NoSeries()


class Handle(Reference, Generic[CellT]):
    """Base class of the handles: records into one series."""

    __slots__ = ("_labels", "_recorder")

    def __init__(self, recorder: Recorder[CellT], labels: Mapping[str, Any]) -> None:
        self._recorder = recorder
        self._labels = labels

    def __repr__(self) -> str:
        labels = ", ".join(f"{name}={value!r}" for name, value in self._labels.items())
        return f"<{self._recorder.title}, {labels or 'no labels'}>"

    def with_labels(self) -> Self:
        """Return this handle."""
        return self

    def remove(self) -> None:
        """Remove the series; a later recording starts at zero."""
        self._recorder.remove(**self._labels)


class CounterHandle(Handle[SumCell]):
    """Adds to one series."""

    __slots__ = ("add",)

    def __init__(self, recorder: Recorder[SumCell], labels: Mapping[str, Any]) -> None:
        super().__init__(recorder, labels)
        self.add: Call = recorder.bound_call(labels)


class GaugeHandle(Handle[GaugeCell]):
    """Sets one series."""

    __slots__ = ("set",)

    def __init__(self, recorder: Recorder[GaugeCell], labels: Mapping[str, Any]) -> None:
        super().__init__(recorder, labels)
        self.set: Call = recorder.bound_call(labels)


class HistogramHandle(Handle[HistogramCell]):
    """Records into one series."""

    __slots__ = ("record",)

    _recorder: HistogramRecorder

    def __init__(self, recorder: Recorder[HistogramCell], labels: Mapping[str, Any]) -> None:
        super().__init__(recorder, labels)
        self.record: Call = recorder.bound_call(labels)

    def time(self) -> Timer:
        """Record the duration of a block or a function."""
        return self._recorder.time(**self._labels)


def _cannot_be_pickled(live: object) -> TypeError:
    return TypeError(
        f"{live!r} cannot be pickled, because it records into this process; "
        "call telemetry.bind(...) in the other process"
    )

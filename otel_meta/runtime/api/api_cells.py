"""Series that pass each measurement on to an instrument of OpenTelemetry's API.

They take the place of the cells of `recording`: live instruments, handles, timers, label values and
the cardinality limit are those of the package's own storage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from otel_meta.model import Instrument
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.cells import Cell
from otel_meta.runtime.recording.family import Attributes, Family
from otel_meta.runtime.recording.label_values import OnFault
from otel_meta.runtime.recording.memory import HeapAllocator, Placeable
from otel_meta.runtime.recording.recording_calls import THROUGH_CELLS
from otel_meta.runtime.recording.validation import finite_float, non_negative_float

Send = Callable[[float, Attributes], object]
"""The recording method of an instrument of the API."""

_NOT_ENDED: Final = (
    "remove() has no effect: OpenTelemetry's API cannot end a series, and its provider keeps the "
    "last value"
)
_NEGATIVE: Final = "negative values are dropped, because OpenTelemetry's histograms take none"


class ApiCell(Cell):
    """One series: its attributes, and the method of the instrument.

    Args:
        labels: the label values in declared order.
        attributes: the same as OpenTelemetry's attributes.
        send: receives each measurement, always as a float, and may raise.
        on_fault: receives the errors of ``send``.
    """

    __slots__ = ("_attributes", "_on_fault", "_send")

    def __init__(
        self, labels: tuple[str, ...], attributes: Attributes, send: Send, on_fault: OnFault
    ) -> None:
        super().__init__(labels)
        self._attributes = attributes
        self._send = send
        self._on_fault = on_fault

    def begin(self) -> None:
        """Export the series at once, if a measurement can do that."""

    def _pass_on(self, number: float | None) -> bool:
        """Pass a number on; return False for None."""
        if number is None:
            return False
        try:
            self._send(number, self._attributes)
        except Exception as error:
            reraise_interruption(error)
            self._on_fault("api", f"the meter provider raised {error!r}")
        return True


class ApiSumCell(ApiCell):
    """A sum of positive and negative amounts."""

    __slots__ = ()

    def begin(self) -> None:
        """Begin at zero, as a series of the package's own storage does."""
        self.add(0.0)

    def add(self, amount: Any) -> bool:
        """Pass a finite amount on; return False if it is none."""
        return self._pass_on(finite_float(amount))


class ApiCounterCell(ApiSumCell):
    """A sum that only grows."""

    __slots__ = ()

    def add(self, amount: Any) -> bool:
        """Pass a finite amount of at least 0 on; return False if it is none."""
        return self._pass_on(non_negative_float(amount))


class ApiGaugeCell(ApiCell):
    """The latest value."""

    __slots__ = ()

    def set(self, value: Any) -> bool:
        """Pass a finite value on; return False if it is none."""
        return self._pass_on(finite_float(value))


class ApiHistogramCell(ApiCell):
    """A distribution."""

    __slots__ = ()

    def record(self, value: Any) -> bool:
        """Pass a finite value of at least 0 on; return False if it is not finite."""
        number = finite_float(value)
        if number is not None and number < 0:
            self._on_fault("value", _NEGATIVE, _NEGATIVE)
            return True
        return self._pass_on(number)


class ApiFamily(Family[Any]):
    """The series of an instrument, none of which ends before the provider."""

    calls = THROUGH_CELLS

    def __init__(self, *args: Any, on_fault: OnFault, **kwargs: Any) -> None:
        super().__init__(*args, on_fault=on_fault, **kwargs)
        self._say: Final = on_fault

    def remove(self, labels: Mapping[str, Any]) -> None:
        """Report that the series stays.

        Raises:
            UnknownLabelError: a label is missing, or unknown to the instrument.
        """
        self.values(labels)
        self._say("remove", _NOT_ENDED, _NOT_ENDED)


class Beginning(HeapAllocator):
    """In place of an allocator: begins new series, whose numbers are elsewhere."""

    def place(self, instrument: Instrument[...], series: Placeable) -> None:  # noqa: ARG002 - the allocator's interface
        """Export a new series at once."""
        if isinstance(series, ApiCell):
            series.begin()

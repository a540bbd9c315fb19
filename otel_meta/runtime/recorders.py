"""The live half of each instrument: what a service calls, on its hot path.

One try around everything: a recording never raises into the application. A number of another
type than int or float (Decimal, numpy's) is converted; text is not a number, whatever it says.
"""

from __future__ import annotations

from typing import Any, Final, Generic

from .cells import BucketCell, LatestCell, SumCell
from .family import CellT, Family, UnknownLabelError
from .faults import Faults

_PLAIN: Final = frozenset({int, float})
_MOST: Final = 1e290
"""No measurement, and far enough below the largest float that sums of such stay finite."""


class Recorder(Generic[CellT]):
    """What the recorders share: their series, and whom to tell of what was dropped."""

    __slots__ = ("_family", "_faults")

    def __init__(self, family: Family[CellT], faults: Faults) -> None:
        self._family = family
        self._faults = faults

    def _drop(self, error: Exception) -> None:
        reason = "labels" if isinstance(error, UnknownLabelError) else "value"
        self._faults.report(self._family.instrument.prometheus_name, reason, error)


class CounterRecorder(Recorder[SumCell]):
    """Adds what is finite and not negative."""

    __slots__ = ()

    def add(self, amount: float, /, **labels: Any) -> None:
        """Add to the series with these labels."""
        try:
            if type(amount) not in _PLAIN:
                amount = _converted(amount)
            if 0 <= amount < _MOST:
                cell = self._family.find(labels)
                with cell.lock:
                    cell.value += amount
            else:
                self._drop(ValueError(f"{amount!r} is not a finite amount of at least 0"))
        except Exception as error:
            self._drop(error)


class UpDownCounterRecorder(Recorder[SumCell]):
    """Adds what is finite."""

    __slots__ = ()

    def add(self, amount: float, /, **labels: Any) -> None:
        """Add to the series with these labels."""
        try:
            amount = _finite(amount)
            cell = self._family.find(labels)
            with cell.lock:
                cell.value += amount
        except Exception as error:
            self._drop(error)


class GaugeRecorder(Recorder[LatestCell]):
    """Keeps the latest finite value."""

    __slots__ = ()

    def set(self, value: float, /, **labels: Any) -> None:
        """Replace the value of the series with these labels."""
        try:
            value = _finite(value)
            self._family.find(labels).value = value
        except Exception as error:
            self._drop(error)


class HistogramRecorder(Recorder[BucketCell]):
    """Counts finite values by bucket."""

    __slots__ = ()

    def record(self, value: float, /, **labels: Any) -> None:
        """Count a value in the series with these labels."""
        try:
            value = _finite(value)
            self._family.find(labels).record(value)
        except Exception as error:
            self._drop(error)


def _converted(value: Any) -> float:
    if not hasattr(value, "__float__"):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _finite(value: float) -> float:
    value = float(value) if type(value) in _PLAIN else _converted(value)
    if not -_MOST < value < _MOST:
        raise ValueError(f"{value!r} is not finite")
    return value

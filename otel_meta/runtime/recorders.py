"""The live half of each instrument: what a service calls, on its hot path.

One try around everything: a recording never raises into the application. A number of another
type than int or float (Decimal, numpy's) is converted; text is not a number, whatever it says.
"""

from __future__ import annotations

from math import inf
from typing import Any, Final

from .cells import BucketCell, LatestCell, SumCell
from .family import Family, UnknownLabelError
from .faults import Faults

_PLAIN: Final = frozenset({int, float})


class Recorder:
    """What the recorders share: whom to tell about a measurement that was dropped."""

    __slots__ = ("_faults", "_source")

    def __init__(self, source: str, faults: Faults) -> None:
        self._source = source
        self._faults = faults

    def _drop(self, error: Exception) -> None:
        reason = "labels" if isinstance(error, UnknownLabelError) else "value"
        self._faults.report(self._source, reason, error)


class CounterRecorder(Recorder):
    """Adds what is finite and not negative."""

    __slots__ = ("_family",)

    def __init__(self, family: Family[SumCell], faults: Faults) -> None:
        super().__init__(family.instrument.prometheus_name, faults)
        self._family = family

    def add(self, amount: float, /, **labels: Any) -> None:
        """Add to the series with these labels."""
        try:
            if type(amount) not in _PLAIN:
                amount = _converted(amount)
            if 0 <= amount < inf:
                cell = self._family.find(labels)
                with cell.lock:
                    cell.value += amount
            else:
                self._drop(ValueError(f"{amount!r} is not a finite amount of at least 0"))
        except Exception as error:
            self._drop(error)


class UpDownCounterRecorder(Recorder):
    """Adds what is finite."""

    __slots__ = ("_family",)

    def __init__(self, family: Family[SumCell], faults: Faults) -> None:
        super().__init__(family.instrument.prometheus_name, faults)
        self._family = family

    def add(self, amount: float, /, **labels: Any) -> None:
        """Add to the series with these labels."""
        try:
            amount = _finite(amount)
            cell = self._family.find(labels)
            with cell.lock:
                cell.value += amount
        except Exception as error:
            self._drop(error)


class GaugeRecorder(Recorder):
    """Keeps the latest finite value."""

    __slots__ = ("_family",)

    def __init__(self, family: Family[LatestCell], faults: Faults) -> None:
        super().__init__(family.instrument.prometheus_name, faults)
        self._family = family

    def set(self, value: float, /, **labels: Any) -> None:
        """Replace the value of the series with these labels."""
        try:
            value = _finite(value)
            self._family.find(labels).value = value
        except Exception as error:
            self._drop(error)


class HistogramRecorder(Recorder):
    """Counts finite values by bucket."""

    __slots__ = ("_family",)

    def __init__(self, family: Family[BucketCell], faults: Faults) -> None:
        super().__init__(family.instrument.prometheus_name, faults)
        self._family = family

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
    if type(value) not in _PLAIN:
        value = _converted(value)
    if not -inf < value < inf:
        raise ValueError(f"{value!r} is not finite")
    return value

"""Axes of charts: limits, ticks, and positions, linear or logarithmic above 1."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_TICKS = 5


@dataclass(frozen=True)
class Axis:
    """The vertical axis of a chart."""

    low: float
    high: float
    symlog: bool = False

    def share(self, value: float) -> float:
        """Return the position of a value, 0 at the bottom and 1 at the top, within the chart."""
        low, high, here = (self._scaled(v) for v in (self.low, self.high, value))
        return min(1.05, max(-0.05, (here - low) / ((high - low) or 1)))

    def ticks(self) -> Sequence[float]:
        """Return the values at which lines are drawn."""
        if self.symlog:
            powers = (10.0**power for power in range(7))
            return [0.0, *(power for power in powers if power <= self.high)]
        step = _nice((self.high - self.low) / _TICKS)
        first = math.ceil(self.low / step - 1e-9)
        count = math.floor((self.high - first * step) / step + 1e-9) + 1
        return [round((first + index) * step, 12) for index in range(count)]

    def _scaled(self, value: float) -> float:
        if not self.symlog:
            return value
        return value if value <= 1 else 1 + math.log10(value)


def axis_of(
    values: Iterable[float], low: float | None, high: float | None, *, symlog: bool
) -> Axis:
    """Return the axis of values; given limits count more than the values."""
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    bottom = min(known) if low is None else low
    top = max(known) if high is None else high
    if top <= bottom:
        top = bottom + (abs(bottom) or 1)
    margin = 0.05 * (top - bottom)
    return Axis(
        bottom - (margin if low is None else 0), top + (margin if high is None else 0), symlog
    )


def _nice(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step * 0.999)

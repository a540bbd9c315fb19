"""What an instrument can do once bound: the face that `otel_meta.runtime` implements.

Protocols, so that declarations need no OpenTelemetry. Every method is safe to call from any
thread and never raises; a value that cannot be recorded is dropped and counted.
"""

from __future__ import annotations

from typing import ParamSpec, Protocol

P = ParamSpec("P")


class LiveCounter(Protocol[P]):
    """Counts what happened: goes up only."""

    def add(self, amount: float, /, *_: P.args, **labels: P.kwargs) -> None:
        """Add a number that is finite and not negative, in the instrument's unit."""


class LiveUpDownCounter(Protocol[P]):
    """Counts what is there: goes up and down, and is summed over processes."""

    def add(self, amount: float, /, *_: P.args, **labels: P.kwargs) -> None:
        """Add a finite number, in the instrument's unit."""


class LiveGauge(Protocol[P]):
    """Holds the latest value of something that is not summed."""

    def set(self, value: float, /, *_: P.args, **labels: P.kwargs) -> None:
        """Replace the value with a finite one, in the instrument's unit."""


class LiveHistogram(Protocol[P]):
    """Counts values by bucket."""

    def record(self, value: float, /, *_: P.args, **labels: P.kwargs) -> None:
        """Count a finite value, in the instrument's unit."""

"""Protocols of live instruments, which `otel_meta.runtime` implements.

Every method is thread-safe and never raises: a value that cannot be recorded is dropped and
counted as a fault. Protocols keep declarations free of OpenTelemetry.

``with_labels`` returns a handle, with the type of an instrument without labels:
``LiveCounter[[]]``. After ``remove``, and in a forked child, the next recording through a handle
starts a new series.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")


class LiveCounter(Protocol[P]):
    """A sum that only increases."""

    def add(self, amount: float, /, *_: P.args, **labels: P.kwargs) -> None:
        """Add a finite, non-negative number in the unit of the instrument."""

    def with_labels(self, *_: P.args, **labels: P.kwargs) -> LiveCounter[[]]:
        """Return a handle on the series with these labels, for hot loops.

        The series is exported at once.
        """
        ...

    def remove(self, *_: P.args, **labels: P.kwargs) -> None:
        """End the series with these labels: it is not exported until the next `add`."""


class LiveUpDownCounter(Protocol[P]):
    """A sum that increases and decreases."""

    def add(self, amount: float, /, *_: P.args, **labels: P.kwargs) -> None:
        """Add a finite number in the unit of the instrument."""

    def with_labels(self, *_: P.args, **labels: P.kwargs) -> LiveUpDownCounter[[]]:
        """Return a handle on the series with these labels, for hot loops.

        The series is exported at once.
        """
        ...

    def remove(self, *_: P.args, **labels: P.kwargs) -> None:
        """End the series with these labels: it is not exported until the next `add`."""


class LiveGauge(Protocol[P]):
    """The latest value of a measurement."""

    def set(self, value: float, /, *_: P.args, **labels: P.kwargs) -> None:
        """Set a finite value in the unit of the instrument."""

    def with_labels(self, *_: P.args, **labels: P.kwargs) -> LiveGauge[[]]:
        """Return a handle on the series with these labels, for hot loops.

        The series is exported after its first value.
        """
        ...

    def remove(self, *_: P.args, **labels: P.kwargs) -> None:
        """End the series with these labels: it is not exported until the next `set`."""


class LiveHistogram(Protocol[P]):
    """A distribution of values in buckets."""

    def record(self, value: float, /, *_: P.args, **labels: P.kwargs) -> None:
        """Record a finite value in the unit of the instrument."""

    def time(self, *_: P.args, **labels: P.kwargs) -> LiveTimer[P]:
        """Return a timer that records the duration of a block or a function, also on errors.

        The unit of the instrument must be a unit of time; the duration is converted to it.
        """
        ...

    def with_labels(self, *_: P.args, **labels: P.kwargs) -> LiveHistogram[[]]:
        """Return a handle on the series with these labels, for hot loops.

        The series is exported at once.
        """
        ...

    def remove(self, *_: P.args, **labels: P.kwargs) -> None:
        """End the series with these labels: it is not exported until the next `record`."""


class LiveTimer(Protocol[P]):
    """Context manager and decorator that records durations; decorates async functions as well.

    One timer may time several runs at the same time, nested or concurrent.
    """

    def __enter__(self) -> LiveTiming[P]: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...

    def __call__(self, function: Callable[Q, R], /) -> Callable[Q, R]:
        """Decorate a function: record the duration of each call.

        Raises:
            DeclarationError: the function is a generator, whose call returns at once; time a
                block inside the generator instead.
        """
        ...


class LiveTiming(Protocol[P]):
    """A run that is being timed."""

    def labels(self, *_: P.args, **labels: P.kwargs) -> None:
        """Replace the labels of this run, for example after its success."""

"""What an instrument can do once bound: the face that `otel_meta.runtime` implements.

Protocols, so that declarations need no OpenTelemetry. Every method is safe to call from any
thread and never raises; a value that cannot be recorded is dropped and counted.

A handle, returned by ``with_labels``, has the type of an instrument without labels:
``LiveCounter[[]]``. After `remove`, and in a forked child, the next recording through a handle
begins the series anew.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")


class LiveCounter(Protocol[P]):
    """Counts what happened: goes up only."""

    def add(self, amount: float, /, *_: P.args, **labels: P.kwargs) -> None:
        """Add a number that is finite and not negative, in the instrument's unit."""

    def with_labels(self, *_: P.args, **labels: P.kwargs) -> LiveCounter[[]]:
        """A handle on the series with these labels, for hot loops. The series is there at once."""
        ...

    def remove(self, *_: P.args, **labels: P.kwargs) -> None:
        """End the series with these labels: no export shows it until it is added to again."""


class LiveUpDownCounter(Protocol[P]):
    """Counts what is there: goes up and down, and is summed over processes."""

    def add(self, amount: float, /, *_: P.args, **labels: P.kwargs) -> None:
        """Add a finite number, in the instrument's unit."""

    def with_labels(self, *_: P.args, **labels: P.kwargs) -> LiveUpDownCounter[[]]:
        """A handle on the series with these labels, for hot loops. The series is there at once."""
        ...

    def remove(self, *_: P.args, **labels: P.kwargs) -> None:
        """End the series with these labels: no export shows it until it is added to again."""


class LiveGauge(Protocol[P]):
    """Holds the latest value of something that is not summed."""

    def set(self, value: float, /, *_: P.args, **labels: P.kwargs) -> None:
        """Replace the value with a finite one, in the instrument's unit."""

    def with_labels(self, *_: P.args, **labels: P.kwargs) -> LiveGauge[[]]:
        """A handle on the series with these labels, for hot loops."""
        ...

    def remove(self, *_: P.args, **labels: P.kwargs) -> None:
        """End the series of something that is gone: no export shows it until it is set again."""


class LiveHistogram(Protocol[P]):
    """Counts values by bucket."""

    def record(self, value: float, /, *_: P.args, **labels: P.kwargs) -> None:
        """Count a finite value, in the instrument's unit."""

    def time(self, *_: P.args, **labels: P.kwargs) -> LiveTimer[P]:
        """Record how long a block or a function takes, however it ends.

        The instrument's unit has to be a time, which is what is recorded.
        """
        ...

    def with_labels(self, *_: P.args, **labels: P.kwargs) -> LiveHistogram[[]]:
        """A handle on the series with these labels, for hot loops. The series is there at once."""
        ...

    def remove(self, *_: P.args, **labels: P.kwargs) -> None:
        """End the series with these labels: no export shows it until it is recorded into again."""


class LiveTimer(Protocol[P]):
    """Times blocks in a ``with``, and the calls of functions that it decorates, async ones too.

    One timer may time several runs at the same time, within or beside each other.
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
        """The function, with each call timed.

        Raises:
            DeclarationError: it is a generator, whose call takes no time; time a block inside it.
        """
        ...


class LiveTiming(Protocol[P]):
    """A block that is being timed."""

    def labels(self, *_: P.args, **labels: P.kwargs) -> None:
        """Record under these labels instead: begin with those of a failure, say, and end well."""

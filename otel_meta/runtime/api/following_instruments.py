"""Live instruments and handles that follow the destination of the process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Self

from otel_meta.model import Instrument
from otel_meta.model.kind_traits import Kind
from otel_meta.runtime.recording.live_instruments import Reference
from otel_meta.runtime.recording.timer import Timer

from .destination import DESTINATION


class Following(Reference):
    """Base class: finds the live instrument or handle at the destination, and keeps it.

    The destination and what was found there are one tuple, so that two threads never mix them up.
    """

    __slots__ = ("__weakref__", "_found")

    _found: tuple[object, Any]

    def __init__(self) -> None:
        self.forget()
        DESTINATION.add_follower(self)

    def forget(self) -> None:
        """Forget the destination, of which nothing is kept then."""
        self._found = (None, None)

    def follow(self) -> Any:
        """Return the live instrument or handle at the destination."""
        source = DESTINATION.source()
        known, target = self._found
        if source is not known or known is None:
            target = self.find(source)
            self._found = (source, target)
        return target

    def find(self, source: Any) -> Any:
        """Find the live instrument or handle at another destination."""
        raise NotImplementedError


class FollowingInstrument(Following):
    """Base class of the live instruments.

    Args:
        declaration: the instrument as declared.
    """

    __slots__ = ("_declaration",)

    def __init__(self, declaration: Instrument[...]) -> None:
        super().__init__()
        self._declaration = declaration

    def __repr__(self) -> str:
        return repr(self.follow())

    def find(self, source: Any) -> Any:
        """Find the live instrument at another destination."""
        return DESTINATION.recorder(source, self._declaration)

    def remove(self, /, **labels: Any) -> None:
        """End the series with these labels, where the destination can do that."""
        self.follow().remove(**labels)


class FollowingCounter(FollowingInstrument):
    """Adds amounts; also the live instrument of an up-down counter."""

    __slots__ = ()

    def add(self, amount: Any = None, /, *positional: Any, **labels: Any) -> None:
        """Add an amount."""
        self.follow().add(amount, *positional, **labels)

    def with_labels(self, /, **labels: Any) -> FollowingCounterHandle:
        """Return a handle on the series with these labels."""
        return FollowingCounterHandle(self, labels)


class FollowingGauge(FollowingInstrument):
    """Keeps the latest value."""

    __slots__ = ()

    def set(self, value: Any = None, /, *positional: Any, **labels: Any) -> None:
        """Set the value."""
        self.follow().set(value, *positional, **labels)

    def with_labels(self, /, **labels: Any) -> FollowingGaugeHandle:
        """Return a handle on the series with these labels."""
        return FollowingGaugeHandle(self, labels)


class FollowingHistogram(FollowingInstrument):
    """Records values."""

    __slots__ = ()

    def record(self, value: Any = None, /, *positional: Any, **labels: Any) -> None:
        """Record a value."""
        self.follow().record(value, *positional, **labels)

    def with_labels(self, /, **labels: Any) -> FollowingHistogramHandle:
        """Return a handle on the series with these labels."""
        return FollowingHistogramHandle(self, labels)

    def time(self, /, **labels: Any) -> Timer:
        """Record the duration of a block or a function, where it ends."""
        return Timer(self._record_time, labels)

    def _record_time(self, seconds: float, labels: Mapping[str, Any]) -> None:
        self.follow().record_time(seconds, labels)


class FollowingHandle(Following):
    """Base class of the handles.

    Args:
        live: the live instrument.
        labels: the labels of the series.
    """

    __slots__ = ("_labels", "_live")

    def __init__(self, live: FollowingInstrument, labels: Mapping[str, Any]) -> None:
        super().__init__()
        self._live: Any = live
        self._labels = labels
        self.follow()  # exports the series at once

    def __repr__(self) -> str:
        return repr(self.follow())

    def find(self, source: Any) -> Any:
        """Find the handle at another destination."""
        return self._live.find(source).with_labels(**self._labels)

    def with_labels(self) -> Self:
        """Return this handle."""
        return self

    def remove(self) -> None:
        """End the series, where the destination can do that."""
        self.follow().remove()


class FollowingCounterHandle(FollowingHandle):
    """Adds to one series."""

    __slots__ = ()

    def add(self, amount: float, /) -> None:
        """Add to the series."""
        self.follow().add(amount)


class FollowingGaugeHandle(FollowingHandle):
    """Sets one series."""

    __slots__ = ()

    def set(self, value: float, /) -> None:
        """Replace the value of the series."""
        self.follow().set(value)


class FollowingHistogramHandle(FollowingHandle):
    """Records into one series."""

    __slots__ = ()

    def record(self, value: float, /) -> None:
        """Record a value in the series."""
        self.follow().record(value)

    def time(self) -> Timer:
        """Record the duration of a block or a function."""
        timer: Timer = self._live.time(**self._labels)
        return timer


FOLLOWING_KINDS: Final[Mapping[Kind, Callable[[Instrument[...]], FollowingInstrument]]] = {
    "counter": FollowingCounter,
    "histogram": FollowingHistogram,
    "gauge": FollowingGauge,
    "updowncounter": FollowingCounter,
}
"""The live instrument of every kind."""

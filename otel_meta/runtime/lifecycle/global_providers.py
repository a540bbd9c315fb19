"""The global providers of OpenTelemetry's API, which follow the open telemetry of the process.

The API sets each global provider once in the life of a process. Telemetry can be shut down and
configured again, as in tests, notebooks and application factories. So the API gets a forwarder, and
the forwarder gets the provider of each telemetry. Tracers, meters and instruments obtained before
are forwarders as well, because libraries keep theirs for the life of the process.

A forwarder takes on the class of its target for `isinstance`: libraries look for the SDK's provider
before they add a span processor.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from operator import methodcaller
from typing import Any, Final, cast
from weakref import ref

from opentelemetry import metrics as metrics_api
from opentelemetry import trace as trace_api
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import NoOpTracer, Tracer

from otel_meta.runtime.api.api_globals import is_unset
from otel_meta.runtime.fork import ForkSafeLock
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import logger

from .sdk_locks import SdkLocks

Find = Callable[[Any], Any]
"""Returns the object of a provider that a follower stands for."""
_Function = Callable[[CallbackOptions], Iterable[Observation]]


class Forwarder:
    """Forwards every attribute to a target."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def _class_of_target(self) -> Any:
        target: object = self._target
        return type(target)

    __class__: Any = property(_class_of_target)
    """For `isinstance`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


class Follower(Forwarder):
    """Forwards to an object of the current provider.

    Args:
        find: returns the object of a provider.
        provider: the current provider.
    """

    def __init__(self, find: Find, provider: Any) -> None:
        super().__init__(find(provider))
        self.find: Final = find

    def follow(self, provider: Any) -> None:
        """Forward to the object of another provider."""
        self._target = self.find(provider)


class GlobalProvider(Forwarder):
    """Forwards to the provider of the open telemetry, else to a provider without exporters.

    Args:
        create_idle: creates a provider without exporters.
    """

    def __init__(self, create_idle: Callable[[], Any]) -> None:
        super().__init__(None)
        self._create_idle: Final = create_idle
        # Not now, at the import: the SDK reads variables that `configure` has to check first.
        self._idle: Final = cache(self._create_idle_with_locks)
        # Not a WeakSet, whose callback is Python code, in which exceptions of handlers are ignored.
        self._followers: Final[dict[ref[Follower], None]] = {}
        self._lock: Final = ForkSafeLock()
        self._changes = 0
        """Number of calls of `use`: identifies a provider without keeping it."""

    def _create_idle_with_locks(self) -> Any:
        provider = self._create_idle()
        self._locks = SdkLocks(provider)
        return provider

    def use(self, provider: Any) -> None:
        """Forward to a provider, also from everything that was obtained before."""
        with self._lock:
            self._target = provider
            self._changes += 1
            for follower in filter(None, [each() for each in list(self._followers)]):
                try:
                    follower.follow(provider)
                except Exception as error:  # of a library's callback
                    reraise_interruption(error)
                    logger.warning("an instrument of a library is lost: %s", error)

    def prepare(self) -> None:
        """Create the provider without exporters, inside the variables that were checked."""
        self._idle()

    def leave(self, provider: Any) -> None:
        """Keep nothing of a provider that was shut down."""
        if self._target is provider:
            self.use(self._idle())

    def _follow(self, follower: type[Follower], find: Find) -> Any:
        with self._lock:
            made = follower(find, self._target)
            self._followers[ref(made, self._followers.pop)] = None
        return made


class GlobalTracerProvider(GlobalProvider):
    """The global tracer provider; after the shutdown, spans have ids and are not recorded."""

    def __init__(self) -> None:
        super().__init__(_create_idle_tracer_provider)

    def get_tracer(self, *args: Any, **kwargs: Any) -> Tracer:
        """Return a tracer that follows; arguments as in the API."""
        find = methodcaller("get_tracer", *args, **kwargs)
        return cast("Tracer", self._follow(_TracerFollower, find))


class GlobalMeterProvider(GlobalProvider):
    """The global meter provider; after the shutdown, measurements are dropped."""

    def __init__(self) -> None:
        super().__init__(_create_idle_meter_provider)
        self._observables: Final[dict[tuple[str, str, str], _Observable]] = {}

    def get_meter(self, *args: Any, **kwargs: Any) -> Meter:
        """Return a meter whose instruments follow; arguments as in the API."""
        meter: _MeterFollower = self._follow(
            _MeterFollower, methodcaller("get_meter", *args, **kwargs)
        )
        meter.owner = self
        return cast("Meter", meter)

    def create(self, meter: _MeterFollower, method: str, *args: Any, **kwargs: Any) -> Any:
        """Return an instrument that follows.

        Args:
            meter: the meter of the instrument.
            method: the method of the meter that creates the instrument.
            *args: arguments of the method.
            **kwargs: likewise.
        """
        create, find_meter = methodcaller(method, *args, **kwargs), meter.find
        return self._follow(Follower, lambda provider: create(find_meter(provider)))

    def create_observable(
        self,
        meter: _MeterFollower,
        method: str,
        name: str,
        callbacks: Sequence[Any] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Return an instrument with callbacks that follows; arguments as for `create`.

        The instrument is kept, as libraries keep no reference. If it is created again for another
        telemetry, the new callbacks replace the old: the SDK would call the old, which may belong
        to an application that has ended.
        """
        functions = [_as_function(callback) for callback in callbacks or ()]
        key = (meter.name, method, name)
        known = self._observables.get(key)
        if known is not None and known.change != self._changes:
            known.functions, known.change = functions, self._changes
            return known.instrument
        observable = _Observable(functions, self._changes)
        observable.instrument = self.create(meter, method, name, [observable], *args, **kwargs)
        self._observables.setdefault(key, observable)
        return observable.instrument


class _TracerFollower(Follower):
    # As a decorator, it calls `start_span` of this object at each call of the function.
    start_as_current_span = NoOpTracer.start_as_current_span


class _MeterFollower(Follower):
    owner: GlobalMeterProvider

    def __getattr__(self, name: str) -> Any:
        if name.startswith("create_observable_"):
            return partial(self.owner.create_observable, self, name)
        if name.startswith("create_"):
            return partial(self.owner.create, self, name)
        return super().__getattr__(name)


class _Observable:
    """The callback of an instrument: calls the functions of the latest application."""

    instrument: Any

    def __init__(self, functions: list[_Function], change: int) -> None:
        self.functions = functions
        self.change = change

    def __call__(self, options: CallbackOptions) -> Iterator[Observation]:
        for function in self.functions:
            yield from function(options)


def _as_function(callback: Any) -> _Function:
    """Return a callback as a function; the API allows generators, which receive the options."""
    if inspect.isgenerator(callback):
        next(callback)
        return cast("_Function", callback.send)
    return cast("_Function", callback)


def _create_idle_tracer_provider() -> TracerProvider:
    return TracerProvider(ParentBased(ALWAYS_OFF), Resource.get_empty(), shutdown_on_exit=False)


def _create_idle_meter_provider() -> MeterProvider:
    return MeterProvider((), Resource.get_empty(), shutdown_on_exit=False)


TRACER_PROVIDER: Final = GlobalTracerProvider()
METER_PROVIDER: Final = GlobalMeterProvider()


def trace_globally(provider: TracerProvider) -> Callable[[], None]:
    """Make the tracer provider of a telemetry the global one; return the reverse.

    API and SDK read variables here, which the caller has to check before.
    """
    TRACER_PROVIDER.prepare()
    TRACER_PROVIDER.use(provider)
    if not _is_ours(trace_api.get_tracer_provider()):
        trace_api.set_tracer_provider(cast("trace_api.TracerProvider", TRACER_PROVIDER))
    return partial(TRACER_PROVIDER.leave, provider)


def measure_globally(provider: MeterProvider) -> Callable[[], None]:
    """Make the meter provider of a telemetry the global one, like `trace_globally`."""
    METER_PROVIDER.prepare()
    METER_PROVIDER.use(provider)
    if not _is_ours(metrics_api.get_meter_provider()):
        metrics_api.set_meter_provider(cast("metrics_api.MeterProvider", METER_PROVIDER))
    return partial(METER_PROVIDER.leave, provider)


def set_by_another(provider: object) -> bool:
    """Return True for a global provider that another library has set."""
    return not is_unset(provider) and not _is_ours(provider)


def _is_ours(provider: object) -> bool:
    return issubclass(type(provider), GlobalProvider)

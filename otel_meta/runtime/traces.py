"""The traces signal: a tracer provider whose spans leave in batches."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)

from .exporters import create_exporter
from .faults import Faults, logger
from .outage import LastWords, watch
from .settings import Settings


def _ratio(arg: str | None) -> Sampler:
    return TraceIdRatioBased(1.0 if arg is None else float(arg))


_SAMPLERS: Final[dict[str, Callable[[str | None], Sampler]]] = {
    "always_on": lambda _arg: ALWAYS_ON,
    "always_off": lambda _arg: ALWAYS_OFF,
    "traceidratio": _ratio,
    "parentbased_always_on": lambda _arg: ParentBased(ALWAYS_ON),
    "parentbased_always_off": lambda _arg: ParentBased(ALWAYS_OFF),
    "parentbased_traceidratio": lambda arg: ParentBased(_ratio(arg)),
}
_FALLBACK: Final = "parentbased_always_on"


class Traces:
    """The tracer provider, and the ways out of it."""

    def __init__(
        self, settings: Settings, resource: Resource, faults: Faults, words: LastWords
    ) -> None:
        sampler = create_sampler(settings.sampler, settings.sampler_arg)
        self.provider: Final = TracerProvider(sampler, resource, shutdown_on_exit=False)
        for name in settings.exporters["traces"]:
            exporter = create_exporter("traces", name, settings)
            watch(exporter, "traces", faults, words)
            self.provider.add_span_processor(BatchSpanProcessor(exporter))

    def flush(self, timeout: float) -> None:
        """Export what has ended. The SDK heeds no timeout here, so the caller has to."""
        self.provider.force_flush(int(timeout * 1000))

    def shutdown(self, _timeout: float) -> None:
        """Export what has ended, and no more."""
        self.provider.shutdown()


def create_sampler(name: str, arg: str | None) -> Sampler:
    """A sampler by its standard name, or by that of an installed one.

    What cannot be used is warned of and replaced by OpenTelemetry's default, which samples all
    that a caller has not decided against.
    """
    try:
        return _make(name, arg)
    except Exception as error:
        logger.warning(
            "OTEL_TRACES_SAMPLER=%s with OTEL_TRACES_SAMPLER_ARG=%s cannot be used (%s); using %s",
            name,
            arg,
            error,
            _FALLBACK,
        )
        return _SAMPLERS[_FALLBACK](None)


def _make(name: str, arg: str | None) -> Sampler:
    if name in _SAMPLERS:
        return _SAMPLERS[name](arg)
    for entry in entry_points(group="opentelemetry_traces_sampler", name=name):
        factory: Callable[[Any], Sampler] = entry.load()
        return factory(arg)
    raise ValueError(f"known are {', '.join(_SAMPLERS)}")

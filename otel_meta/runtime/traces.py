"""The traces signal: a tracer provider with batched export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)

from otel_meta.errors import ConfigurationError

from .environment.sdk_variables import MAX_ATTRIBUTE_LENGTH
from .export.delivery import DeliveryMonitor
from .export.exporters import create_exporter
from .export.queues import SpanQueue
from .export.redacted_spans import RedactingExporter
from .interruption import reraise_interruption
from .lifecycle.foreign_providers import NO_PROVIDERS, ForeignProviders
from .lifecycle.sdk_locks import SdkLocks
from .lifecycle.span_processors import AttachedProcessors, attached_processors
from .recording.faults import Faults
from .redaction import Redaction
from .settings import Settings
from .tracing.lean_provider import LeanTracerProvider
from .tracing.tail_sampling import TailSampling


def _ratio(arg: str | None) -> Sampler:
    return TraceIdRatioBased(1.0 if arg is None else float(arg))


SAMPLERS: Final[dict[str, Callable[[str | None], Sampler]]] = {
    "always_on": lambda _arg: ALWAYS_ON,
    "always_off": lambda _arg: ALWAYS_OFF,
    "traceidratio": _ratio,
    "parentbased_always_on": lambda _arg: ParentBased(ALWAYS_ON),
    "parentbased_always_off": lambda _arg: ParentBased(ALWAYS_OFF),
    "parentbased_traceidratio": lambda arg: ParentBased(_ratio(arg)),
}


class Traces:
    """The tracer provider, with a queue and an exporter for each target.

    Args:
        settings: the settings of telemetry.
        resource: the resource of the process.
        faults: counts dropped spans.
        monitor: watches the exporters.
        foreign: the providers of another library, whose tracer provider is then used.
    """

    def __init__(
        self,
        settings: Settings,
        resource: Resource,
        faults: Faults,
        monitor: DeliveryMonitor,
        redaction: Redaction,
        *,
        foreign: ForeignProviders = NO_PROVIDERS,
    ) -> None:
        queues: list[SpanQueue] = []
        for name in settings.exporters["traces"]:
            exporter = create_exporter("traces", name, settings.otlp)
            redacting: Any = RedactingExporter(exporter, redaction, faults)
            queues.append(SpanQueue(redacting, monitor, faults))
        self._processors: TracerProvider | AttachedProcessors
        self.tail: Final = _tail_sampling(settings, queues, faults)
        """Decides at the end of a request; None without tail sampling."""
        self.sees_spans: Final = foreign.tracer is None or foreign.takes_processors
        """False if the provider of another library takes no span processor."""
        if foreign.tracer is None:
            self.provider = self._processors = _create_provider(settings, resource, self.tail)
            self._locks = SdkLocks(self.provider)
        else:
            self.provider = foreign.tracer
            self._processors = _attach(foreign)
            self._locks = SdkLocks(queues)
        for queue in queues:
            self.add_span_processor(queue)

    def add_span_processor(self, processor: SpanProcessor) -> None:
        """Add a processor, which ends with telemetry."""
        self._processors.add_span_processor(processor)

    def flush(self, timeout: float) -> None:
        """Export the ended spans. The SDK ignores the timeout; the caller enforces one."""
        flush: Callable[[int], object] = getattr(
            self.provider, "force_flush", self._processors.force_flush
        )
        flush(int(timeout * 1000))

    def shutdown(self, _timeout: float) -> None:
        """Export the ended spans, and stop; the provider of another library goes on."""
        self._processors.shutdown()


def _tail_sampling(
    settings: Settings, queues: Sequence[SpanQueue], faults: Faults
) -> TailSampling | None:
    if not settings.tail_sampling or not queues:
        return None
    return TailSampling(tuple(queues), faults, settings.tail_sampling_slow)


def _create_provider(
    settings: Settings, resource: Resource, tail: TailSampling | None
) -> TracerProvider:
    provider = LeanTracerProvider(
        create_sampler(settings.sampler, settings.sampler_arg),
        resource,
        create_span_limits(),
        create_id_generator(settings.id_generator),
    )
    provider.processors.tail = tail
    return provider


def _attach(foreign: ForeignProviders) -> AttachedProcessors:
    """Return the processors on a foreign provider; they see no span if it takes none."""
    if foreign.takes_processors:
        return attached_processors(foreign.tracer)
    return AttachedProcessors()


def create_span_limits() -> SpanLimits:
    """Return the limits of the variables; the SDK alone would not limit the length of a text."""
    limits = SpanLimits()
    if limits.max_attribute_length is not None:
        return limits
    return SpanLimits(max_attribute_length=MAX_ATTRIBUTE_LENGTH)


def create_sampler(name: str, arg: str | None) -> Sampler:
    """Create a sampler of the standard, or of an installed package.

    Args:
        name: a checked name, such as ``Settings.sampler``.
        arg: the value of OTEL_TRACES_SAMPLER_ARG.

    Raises:
        ConfigurationError: the factory of an installed sampler refused the argument.
    """
    if name in SAMPLERS:
        return SAMPLERS[name](arg)
    (entry,) = entry_points(group="opentelemetry_traces_sampler", name=name)
    factory: Callable[[str | None], Sampler] = entry.load()
    try:
        return factory(arg)
    except Exception as error:
        reraise_interruption(error)
        raise ConfigurationError(
            f"the sampler {name} cannot start with OTEL_TRACES_SAMPLER_ARG={arg}: {error}"
        ) from error


def create_id_generator(name: str) -> IdGenerator:
    """Create the generator of ids with the name of an entry point."""
    if name == "random":
        return RandomIdGenerator()
    (entry, *_) = entry_points(group="opentelemetry_id_generator", name=name)
    factory: Callable[[], IdGenerator] = entry.load()
    return factory()

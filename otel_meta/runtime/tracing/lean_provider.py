"""A tracer provider of the SDK with tracers of `LeanTracer`."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, Tracer, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import Tracer as ApiTracer

from .lean_tracer import LeanTracer
from .processor_list import ProcessorList


class LeanTracerProvider(TracerProvider):
    """The SDK's provider; spans are recorded while a processor needs them.

    Args:
        sampler: decides at the start of a span.
        resource: of the process.
        span_limits: of attributes, events and links.
        id_generator: makes the ids.
    """

    def __init__(
        self,
        sampler: Sampler,
        resource: Resource,
        span_limits: SpanLimits,
        id_generator: IdGenerator,
    ) -> None:
        self.processors: Final = ProcessorList()
        super().__init__(
            sampler,
            resource,
            shutdown_on_exit=False,
            active_span_processor=self.processors,
            id_generator=id_generator,
            span_limits=span_limits,
        )

    def get_tracer(self, *args: Any, **kwargs: Any) -> ApiTracer:
        """Return the tracer of a scope; arguments as in the API."""
        tracer = super().get_tracer(*args, **kwargs)
        return self._lean(tracer) if type(tracer) is Tracer else tracer

    def _lean(self, tracer: Tracer) -> ApiTracer:
        """Replace a tracer that the SDK has just made, unless another thread has done so."""
        made: Any = tracer
        scope = made._instrumentation_scope  # noqa: SLF001 - the key of the SDK's tracers
        with self._tracers_lock:
            if type(self._tracers[scope]) is Tracer:
                self._tracers[scope] = LeanTracer(tracer)
            return self._tracers[scope]

"""The span processors of a provider, called only where they do something."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import (
    ReadableSpan,
    Span,
    SpanProcessor,
    SynchronousMultiSpanProcessor,
)
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

from .tail_sampling import TailSampling

_WITHOUT_WORK: Final = frozenset(
    getattr(cls, name)
    for cls in (SpanProcessor, BatchSpanProcessor, SimpleSpanProcessor)
    for name in ("on_start", "_on_ending")
)
"""Methods of the SDK without a body."""


class ProcessorList(SynchronousMultiSpanProcessor):
    """The SDK's list of processors; methods without a body are not called."""

    def __init__(self) -> None:
        self._starting: tuple[SpanProcessor, ...] = ()
        self._finishing: tuple[SpanProcessor, ...] = ()
        self._all: tuple[SpanProcessor, ...] = ()
        self.needs_spans = False
        """True if a processor reads spans; else nothing is recorded."""
        self.tail: TailSampling | None = None
        """Decides at the end of a request; None leaves the decision to the sampler."""
        create: Any = super().__init__  # without types
        create()

    @property
    def _span_processors(self) -> tuple[SpanProcessor, ...]:
        return self._all

    @_span_processors.setter
    def _span_processors(self, processors: tuple[SpanProcessor, ...]) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]  # the SDK and libraries set it
        self._starting = tuple(each for each in processors if _works(each, "on_start"))
        self._finishing = tuple(each for each in processors if _works(each, "_on_ending"))
        self._all = processors
        self.needs_spans = any(getattr(each, "needs_spans", True) for each in processors)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Pass a started span on."""
        for processor in self._starting:
            processor.on_start(span, parent_context=parent_context)

    def _on_ending(self, span: Span) -> None:
        for processor in self._finishing:
            processor._on_ending(span)  # noqa: SLF001 - of the SDK's interface

    def on_end(self, span: ReadableSpan) -> None:
        """Pass an ended span on."""
        for processor in self._all:
            processor.on_end(span)


def _works(processor: SpanProcessor, name: str) -> bool:
    method: Any = getattr(processor, name, None)
    return getattr(method, "__func__", method) not in _WITHOUT_WORK

"""The origin of a request: the span and the baggage of its caller, from the headers.

The W3C headers are read as the server gives them, in bytes, because the API's propagators keep the
first of two headers, and log a line for each malformed member: a client could order lines. Other
formats are read by their propagators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from opentelemetry.baggage import get_all, set_baggage
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    NonRecordingSpan,
    SpanContext,
    get_current_span,
    set_span_in_context,
)

from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import OnFault
from otel_meta.runtime.sdk_environment import load_propagator
from otel_meta.web.asgi import Header

from .baggage import parse_baggage
from .traceparent import parse_traceparent
from .tracestate import parse_tracestate

Fields = dict[bytes, list[bytes]]
"""All values of each header, by the name in lower case."""

_MAX_BYTES: Final = 8_192
"""A longer header is not shown to the propagators of other formats."""
(_SPAN_KEY,) = set_span_in_context(INVALID_SPAN, Context())
(_BAGGAGE_KEY,) = set_baggage("", "", Context())


class Origin(NamedTuple):
    """The arguments of a server span that lead to its caller."""

    context: Context
    """Contains nothing of the context in which the server runs the request."""
    links: tuple[Link, ...] = ()
    """To the caller's span, if the endpoint is public."""


_UNKNOWN: Final = Origin(Context())


class _Step(NamedTuple):
    """Reads one format."""

    name: str
    headers: frozenset[bytes] | None
    """The headers that are read; None if only the propagator knows them."""
    add: Callable[[Fields, Context], Context]


class Extractor:
    """Finds the origin of each request.

    Args:
        steps: applied in this order; later ones override earlier ones, as in the API.
        on_fault: receives what a propagator raises.
        public: see `create_extractor`.
    """

    def __init__(self, steps: Iterable[_Step], on_fault: OnFault, *, public: bool) -> None:
        self._steps: Final = tuple(steps)
        self._wanted: Final = _union(self._steps)
        self._on_fault: Final = on_fault
        self._public: Final = public

    def __call__(self, headers: Iterable[Header]) -> Origin:
        """Return the origin of a request from its headers; never raises."""
        fields = _select(headers, self._wanted)
        if not fields:
            return _UNKNOWN
        context = _UNKNOWN.context
        for step in self._steps:
            try:
                context = step.add(fields, context)
            except Exception as error:
                reraise_interruption(error)
                self._on_fault(f"propagator {step.name}", "extraction", error)
        return _linked(context) if self._public else Origin(context)


def create_extractor(
    propagators: Iterable[str], on_fault: OnFault, *, public: bool = False
) -> Extractor:
    """Return the extractor for these formats.

    Args:
        propagators: names as in OTEL_PROPAGATORS.
        on_fault: receives what a propagator raises.
        public: strangers call the endpoint. Each request begins a trace with a link to the span of
            the caller, so the caller decides neither on sampling nor on ids, and no baggage of
            the caller is passed on.
    """
    steps = [_step(name) for name in propagators if name != "none"]
    return Extractor(steps, on_fault, public=public)


def _step(name: str) -> _Step:
    return _OWN.get(name) or _Step(name, None, _Foreign(load_propagator(name)))


def _union(steps: Iterable[_Step]) -> frozenset[bytes] | None:
    wanted: frozenset[bytes] = frozenset()
    for step in steps:
        if step.headers is None:
            return None
        wanted |= step.headers
    return wanted


def _select(headers: Iterable[Header], wanted: frozenset[bytes] | None) -> Fields:
    fields: Fields = {}
    for name, value in headers:
        lower = name.lower()
        if wanted is None or lower in wanted:
            fields.setdefault(lower, []).append(value)
    return fields


def _linked(context: Context) -> Origin:
    """Return a new trace with a link to the caller, without the caller's tracestate."""
    caller = get_current_span(context).get_span_context()
    if not caller.is_valid:
        return _UNKNOWN
    trace_id, span_id, is_remote, flags, *_ = caller
    return Origin(_UNKNOWN.context, (Link(SpanContext(trace_id, span_id, is_remote, flags)),))


def _add_parent(fields: Fields, context: Context) -> Context:
    parent = parse_traceparent(fields.get(b"traceparent", ()))
    if parent is None:
        return context
    trace_id, span_id, flags = parent
    states = fields.get(b"tracestate")
    state = None if states is None else parse_tracestate(states)
    caller = SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags, trace_state=state)
    return Context({**context, _SPAN_KEY: NonRecordingSpan(caller)})


def _add_baggage(fields: Fields, context: Context) -> Context:
    values = fields.get(b"baggage")
    if values is None:
        return context
    members = {**get_all(context), **parse_baggage(values)}
    return Context({**context, _BAGGAGE_KEY: members})


_OWN: Final = {
    step.name: step
    for step in (
        _Step("tracecontext", frozenset({b"traceparent", b"tracestate"}), _add_parent),
        _Step("baggage", frozenset({b"baggage"}), _add_baggage),
    )
}


class _FieldsGetter(Getter[Fields]):
    """Shows the headers to a propagator, as text."""

    def get(self, carrier: Fields, key: str) -> list[str] | None:
        values = carrier.get(key.lower().encode("latin-1", "replace"), ())
        short = [value.decode("latin-1") for value in values if len(value) <= _MAX_BYTES]
        return short or None

    def keys(self, carrier: Fields) -> list[str]:
        return [name.decode("latin-1") for name in carrier]


class _Foreign:
    """Reads the headers of another format by the propagator of a package, which may be untyped."""

    def __init__(self, propagator: Any) -> None:
        self._propagator: Final = propagator
        self._getter: Final = _FieldsGetter()

    def __call__(self, fields: Fields, context: Context) -> Context:
        found = self._propagator.extract(fields, context, self._getter)
        if not isinstance(found, Context):
            raise TypeError(f"extract returned {type(found).__name__}, no Context")
        return found

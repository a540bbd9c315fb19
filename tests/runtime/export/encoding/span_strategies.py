"""Any span that the SDK's encoder accepts."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags, TraceState
from opentelemetry.trace.status import Status, StatusCode

Attributes = dict[str, Any]

_INT64_END: Final = 1 << 63

SCALARS: Final[st.SearchStrategy[Any]] = (
    st.none()
    | st.booleans()
    | st.text()
    | st.text(min_size=120, max_size=300)
    | st.integers(-_INT64_END, _INT64_END - 1)
    | st.floats()
    | st.sampled_from([0, 1, True, False, 0.0, -0.0, 1.0, "", "1"])
    | st.binary()
)
VALUES: Final[st.SearchStrategy[Any]] = st.recursive(
    SCALARS,
    lambda values: (
        st.lists(values, max_size=4) | st.dictionaries(st.text(min_size=1), values, max_size=4)
    ),
    max_leaves=6,
)
_KEYS: Final = st.sampled_from(["http.route", "a", "b"]) | st.text(min_size=1)
ATTRIBUTES: Final[st.SearchStrategy[Attributes]] = st.dictionaries(_KEYS, VALUES, max_size=5)
_DROPPED: Final = st.sampled_from([0, 1, 200])
_UINT64: Final = st.integers(0, (1 << 64) - 1)
_TIMES: Final = st.none() | st.just(0) | _UINT64
_NAMES: Final = st.sampled_from(["alpha", "beta"])
_SCHEMAS: Final = st.sampled_from(["", "https://opentelemetry.io/schemas/1.30.0"])


@st.composite
def _bounded(draw: st.DrawFn) -> BoundedAttributes:
    attributes = BoundedAttributes(attributes=draw(ATTRIBUTES))
    attributes.dropped = draw(_DROPPED)
    return attributes


@st.composite
def _contexts(draw: st.DrawFn) -> SpanContext:
    state = [("vendor", "value"), ("tenant@system", "a:b")][: draw(st.integers(0, 2))]
    return SpanContext(
        draw(st.integers(0, (1 << 128) - 1)),
        draw(_UINT64),
        is_remote=draw(st.booleans()),
        trace_flags=TraceFlags(draw(st.integers(0, 255))),
        trace_state=TraceState(state),
    )


def _bounded_list(items: list[Any], dropped: int) -> Any:
    bounded: Any = BoundedList(None)
    bounded.extend(items)
    bounded.dropped = dropped
    return bounded


_EVENTS: Final = st.builds(Event, st.text(), attributes=_bounded(), timestamp=_UINT64)
_LINKS: Final = st.builds(Link, _contexts(), attributes=_bounded())
_STATUSES: Final = (
    st.sampled_from([Status(StatusCode.UNSET), Status(StatusCode.OK)])
    | st.builds(Status, st.just(StatusCode.ERROR), st.none() | st.text())
    | st.none()
)
_RESOURCES: Final = st.builds(
    lambda name, schema: Resource({"service.name": name}, schema), _NAMES, _SCHEMAS
)
_SCOPES: Final = st.none() | st.builds(
    lambda name, version, schema, key: InstrumentationScope(name, version, schema, {key: 1}),
    _NAMES,
    st.sampled_from([None, "1.0"]),
    _SCHEMAS,
    _NAMES,
)

SPANS: Final[st.SearchStrategy[ReadableSpan]] = st.builds(
    ReadableSpan,
    st.text(),
    context=_contexts(),
    parent=st.none() | _contexts(),
    resource=_RESOURCES,
    attributes=st.none() | _bounded(),
    events=st.builds(_bounded_list, st.lists(_EVENTS, max_size=2), _DROPPED),
    links=st.builds(_bounded_list, st.lists(_LINKS, max_size=2), _DROPPED),
    kind=st.sampled_from(SpanKind),
    status=_STATUSES,
    start_time=_TIMES,
    end_time=_TIMES,
    instrumentation_scope=_SCOPES,
)

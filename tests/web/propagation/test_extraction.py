from __future__ import annotations

import signal
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry import baggage
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.propagate import inject
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from otel_meta.web.propagation import extraction
from otel_meta.web.propagation.extraction import create_extractor

W3C = ("tracecontext", "baggage")
PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE_ID = 0x0AF7651916CD43DD8448EB211C80319C
SPAN_ID = 0xB7AD6B7169203331
OTHER_ID = 0xABC
HEADERS = [
    (b"host", b"example.com"),
    (b"traceparent", PARENT),
    (b"tracestate", b"a@b@c=1"),
    (b"baggage", b"user=alice"),
]
NAMES = [
    name
    for each in ("traceparent", "tracestate", "baggage", "x-other")
    for name in (each.encode(), each.title().encode())
]


class Faults:
    """Collects reported faults."""

    def __init__(self) -> None:
        self.reported: list[tuple[str, str, str]] = []

    def __call__(self, source: str, reason: str, detail: object) -> None:
        """Collect a fault."""
        self.reported.append((source, reason, str(detail)))


class OtherFormat(TextMapPropagator):
    """Reads the trace id in decimal from the header X-Other; a bad header raises."""

    result: object = None
    """Returned instead, unless None."""

    def extract(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        getter: Getter[CarrierT] = default_getter,
    ) -> Context:
        """Add the span, and the names of all headers as baggage."""
        assert context is not None
        if self.result is not None:
            return self.result  # type: ignore[return-value]  # as a propagator without types may
        found = getter.get(carrier, "X-Other")
        if found is None:
            return context
        caller = SpanContext(int(found[0]), 1, is_remote=True, trace_flags=TraceFlags(1))
        context = baggage.set_baggage("names", ",".join(getter.keys(carrier)), context)
        return set_span_in_context(NonRecordingSpan(caller), context)

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,
    ) -> None:
        """Send nothing."""

    @property
    def fields(self) -> set[str]:
        """Name the header."""
        return {"X-Other"}


@pytest.fixture
def faults() -> Faults:
    """The faults of the test."""
    return Faults()


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> OtherFormat:
    """Another format, installed with the name ``other``."""
    propagator = OtherFormat()
    monkeypatch.setattr(extraction, "load_propagator", {"other": propagator}.__getitem__)
    return propagator


@pytest.fixture
def stale() -> Iterator[None]:
    """A current context with the span and the baggage of another request."""
    context = set_span_in_context(NonRecordingSpan(SpanContext(7, 7, is_remote=False)))
    token = attach(baggage.set_baggage("stale", "yes", context))
    yield
    detach(token)


def caller(context: Context) -> SpanContext:
    """Return the span of the caller."""
    return get_current_span(context).get_span_context()


class TestW3C:
    def test_parent_is_remote_span(self, faults: Faults) -> None:
        """The parent is a remote span with the ids, flags and state of the headers."""
        found = caller(create_extractor(W3C, faults)(HEADERS).context)

        assert (TRACE_ID, SPAN_ID) == (found.trace_id, found.span_id)
        assert found.is_remote
        assert found.trace_flags.sampled
        assert {"a@b@c": "1"} == dict(found.trace_state)

    def test_baggage_is_in_context(self, faults: Faults) -> None:
        """The members of the baggage are in the context, where the API finds them."""
        context = create_extractor(W3C, faults)(HEADERS).context

        assert {"user": "alice"} == dict(baggage.get_all(context))
        assert "alice" == baggage.get_baggage("user", context)

    @pytest.mark.parametrize("headers", [[], HEADERS[:1], HEADERS])
    def test_current_context_is_not_used(
        self, headers: list[tuple[bytes, bytes]], stale: None, faults: Faults
    ) -> None:
        """Nothing of the current context is in the origin, and the current one remains."""
        before = get_current()
        context = create_extractor(W3C, faults)(headers).context

        assert baggage.get_baggage("stale", context) is None
        assert 7 != caller(context).trace_id
        assert before is get_current()

    def test_case_of_names_does_not_matter(self, faults: Faults) -> None:
        """A server that keeps the case of header names gives the same origin."""
        titled = [(name.title(), value) for name, value in HEADERS]
        context = create_extractor(W3C, faults)(titled).context

        assert TRACE_ID == caller(context).trace_id
        assert "alice" == baggage.get_baggage("user", context)

    def test_level_2_state_is_sent_on(self, faults: Faults) -> None:
        """The API sends on a state with keys that only Level 2 allows, and the baggage."""
        carrier: dict[str, str] = {}
        inject(carrier, create_extractor(W3C, faults)(HEADERS).context)

        assert {name.decode(): value.decode() for name, value in HEADERS[1:]} == carrier

    @pytest.mark.parametrize(
        ("names", "has_parent", "has_baggage"),
        [
            (("none",), False, False),
            ((), False, False),
            (("tracecontext",), True, False),
            (("baggage",), False, True),
            (("baggage", "tracecontext"), True, True),
        ],
    )
    def test_only_configured_formats_are_read(
        self, names: tuple[str, ...], *, has_parent: bool, has_baggage: bool, faults: Faults
    ) -> None:
        """A format that is not configured is not read."""
        context = create_extractor(names, faults)(HEADERS).context

        assert has_parent is caller(context).is_valid
        assert has_baggage is bool(baggage.get_all(context))

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(NAMES) | st.binary(),
                st.binary() | st.sampled_from([PARENT, b"a=1", b"a=1;b,c=%ff"]),
            )
        )
    )
    @example([(b"traceparent", PARENT), (b"tracestate", b"\xff=")])
    def test_no_bytes_raise(self, headers: list[tuple[bytes, bytes]]) -> None:
        """No headers raise, or are a fault."""
        faults = Faults()
        for public in (False, True):
            create_extractor(W3C, faults, public=public)(headers)

        assert [] == faults.reported


class TestPublic:
    def test_caller_is_linked_and_not_parent(self, faults: Faults) -> None:
        """At a public endpoint, a trace begins with a link to the caller's span."""
        context, links = create_extractor(W3C, faults, public=True)(HEADERS)
        (link,) = links

        assert not caller(context).is_valid
        assert (TRACE_ID, SPAN_ID) == (link.context.trace_id, link.context.span_id)
        assert link.context.is_remote

    def test_texts_of_strangers_are_not_taken(self, faults: Faults) -> None:
        """At a public endpoint, neither baggage nor tracestate of the caller is kept."""
        context, (link,) = create_extractor(W3C, faults, public=True)(HEADERS)

        assert {} == baggage.get_all(context)
        assert {} == dict(link.context.trace_state)

    @pytest.mark.parametrize("headers", [HEADERS[:1], [(b"traceparent", PARENT)] * 2, HEADERS[3:]])
    def test_without_caller_is_no_link(
        self, headers: list[tuple[bytes, bytes]], faults: Faults
    ) -> None:
        """Without a valid parent there is no link."""
        assert () == create_extractor(W3C, faults, public=True)(headers).links

    def test_caller_in_other_format_is_linked(self, other: OtherFormat, faults: Faults) -> None:
        """The caller in another format is linked, too, and its baggage is not kept."""
        extract = create_extractor(("other",), faults, public=True)
        context, (link,) = extract([(b"x-other", b"%d" % OTHER_ID)])

        assert OTHER_ID == link.context.trace_id
        assert {} == context


class TestOtherFormats:
    def test_propagator_reads_headers(self, other: OtherFormat, faults: Faults) -> None:
        """The propagator of another format gets the headers by any case, and all names."""
        context = create_extractor(("other",), faults)(
            [(b"X-OTHER", b"%d" % OTHER_ID), (b"x-\xff", b"")]
        ).context

        assert OTHER_ID == caller(context).trace_id
        assert "x-other,x-\xff" == baggage.get_baggage("names", context)

    @pytest.mark.parametrize(
        ("names", "expected"),
        [
            (("tracecontext", "baggage", "other"), OTHER_ID),
            (("other", "tracecontext", "baggage"), TRACE_ID),
        ],
    )
    def test_later_format_overrides(
        self, names: tuple[str, ...], expected: int, other: OtherFormat, faults: Faults
    ) -> None:
        """Of two parents, the one of the later format is used; members of baggage are joined."""
        headers = [*HEADERS, (b"x-other", b"%d" % OTHER_ID)]
        context = create_extractor(names, faults)(headers).context

        assert expected == caller(context).trace_id
        assert {"names", "user"} == set(baggage.get_all(context))

    def test_propagator_without_its_header_keeps_parent(
        self, other: OtherFormat, faults: Faults
    ) -> None:
        """A format that is not in the request leaves the parent of another format."""
        context = create_extractor((*W3C, "other"), faults)(HEADERS).context

        assert TRACE_ID == caller(context).trace_id

    def test_long_header_is_not_shown(self, other: OtherFormat, faults: Faults) -> None:
        """A header of more than 8,192 bytes is not shown to a propagator."""
        extract = create_extractor(("other",), faults)
        context = extract([(b"x-other", b"1".rjust(8193, b"0"))]).context

        assert {} == context
        assert [] == faults.reported

    def test_raising_propagator_is_fault(self, other: OtherFormat, faults: Faults) -> None:
        """What a propagator raises is a fault, and the other formats are read."""
        headers = [*HEADERS, (b"x-other", b"bad")]
        for names in pairwise(("tracecontext", "other", "tracecontext")):
            context = create_extractor(names, faults)(headers).context

            assert TRACE_ID == caller(context).trace_id
        source, reason, detail = faults.reported[0]
        assert ("propagator other", "extraction") == (source, reason)
        assert "invalid literal" in detail
        assert 2 == len(faults.reported)

    def test_exception_of_signal_handler_is_raised(
        self, other: OtherFormat, faults: Faults, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An exception that a signal handler raises inside a propagator reaches the application."""

        def time_out(*_: object) -> None:
            raise TimeoutError

        before = signal.signal(signal.SIGUSR1, time_out)
        monkeypatch.setattr(other, "extract", lambda *_: signal.raise_signal(signal.SIGUSR1))
        try:
            with pytest.raises(TimeoutError):
                create_extractor(("other",), faults)(HEADERS)
        finally:
            signal.signal(signal.SIGUSR1, before)

    def test_result_that_is_no_context_is_fault(self, other: OtherFormat, faults: Faults) -> None:
        """A propagator that returns no context is a fault: the SDK would use the current one."""
        other.result = {}
        context = create_extractor(("other",), faults)(HEADERS).context

        assert isinstance(context, Context)
        assert [("propagator other", "extraction", "extract returned dict, no Context")] == (
            faults.reported
        )

    def test_unknown_name_is_error(self, faults: Faults) -> None:
        """A name without a propagator is an error where the extractor is created."""
        with pytest.raises(ValueError, match="not enough values"):
            create_extractor(("unknown",), faults)

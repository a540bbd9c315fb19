from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from tests.runtime.prometheus.page_parser import OPENMETRICS, TEXT, parse_page

from .app import build
from .conftest import Instrument
from .driver import Request, ask
from .recorded import Recorded, Sample

TRACE_ID, PARENT_ID = "0123456789abcdef0123456789abcdef", "0123456789abcdef"


def parent(flags: str = "01", trace_id: str = TRACE_ID) -> tuple[bytes, bytes]:
    """Return a traceparent header."""
    return b"traceparent", f"00-{trace_id}-{PARENT_ID}-{flags}".encode()


def with_header(name: bytes, value: bytes) -> Request:
    """Return a request with one header."""
    return Request("/items/7", headers=[(name, value)])


REQUESTS = {
    "plain": Request("/items/7"),
    "invalid value": Request("/items/x"),
    "unknown path": Request("/nowhere"),
    "unknown method": Request("/items/7", "EVIL"),
    "redirect": Request("/items/7/"),
    "exception": Request("/fail"),
    "refused by dependency": Request("/guarded"),
    "exception of dependency": Request("/broken-dependency"),
    "exception after response": Request("/session"),
    "failed background task": Request("/failing-task"),
    "stream": Request("/stream"),
    "stream fails": Request("/broken-stream"),
    "events": Request("/events"),
    "upload": Request("/upload", "POST", body=[b"a" * 70_000] * 3),
    "no response": Request("/silent"),
    "headers alone": Request("/headers-only"),
    "half a body": Request("/half"),
    "trailers": Request("/trailers"),
    "file": Request("/file"),
    "middleware": Request("/closed"),
    "mount": Request("/sub/hello/ann"),
    "mounted 404": Request("/sub/nowhere"),
    "bytes in user agent": with_header(b"user-agent", b"\xff\\x"),
    "bytes in header name": with_header(b"x-\xff", b"a"),
    "bytes in host": with_header(b"host", b"a\xff\\x"),
    "surrogate in host": with_header(b"host", b"\xed\xa0\x80"),
    "second host": with_header(b"host", b"b"),
    "bytes in query": Request(b"/items/7?a=\xff\xfe"),
    "bytes in path": Request(b"/items/%FF"),
    "surrogate in path": Request(b"/items/%ED%A0%80"),
    "long header": with_header(b"user-agent", b"a" * 200_000),
    "long path": Request("/items/" + "7" * 100_000),
    "content-length of letters": with_header(b"content-length", b"abc"),
    "negative content-length": with_header(b"content-length", b"-1"),
    "bad traceparent": with_header(b"traceparent", b"\xff"),
    "two traceparents": Request("/items/7", headers=[parent(), parent(trace_id="f" * 32)]),
    "long tracestate": with_header(b"tracestate", b",".join(b"a%d=b" % n for n in range(600))),
    "long baggage": with_header(b"baggage", b"a=" + b"b" * 100_000),
    "baggage of nothing": with_header(b"baggage", b"a," * 200),
    "bytes in baggage": with_header(b"baggage", b"a=%FF,\xff=b"),
    "bytes in forwarded": with_header(b"x-forwarded-for", b"\xff"),
    "secret": Request("/items/7?token=hunter2"),
}
"""Requests of all kinds."""


HEADERS = [
    *(b"host", b"user-agent", b"traceparent", b"tracestate", b"baggage", b"x-request-id"),
    *(b"content-length", b"forwarded", b"x-forwarded-proto", b"accept", b"origin"),
]
"""Headers that telemetry or the application reads."""


class TestSameResponse:
    @pytest.mark.parametrize("name", REQUESTS)
    def test_response_is_that_without_telemetry(self, recorded: Recorded, name: str) -> None:
        """The response is the one without telemetry: messages, headers, body and exception."""
        bare = ask(build(), REQUESTS[name])

        assert bare.without_ids() == recorded.ask(REQUESTS[name]).without_ids()

    def test_any_bytes_get_response_without_telemetry(self, instrument: Instrument) -> None:
        """Any bytes in path, query and headers get the response without telemetry."""
        bare, recorded = build(), instrument()
        names = st.sampled_from(HEADERS)
        headers = st.lists(st.tuples(names | st.binary(max_size=10), st.binary(max_size=40)))

        @settings(max_examples=60, suppress_health_check=list(HealthCheck), database=None)
        @given(path=st.binary(max_size=20), query=st.binary(max_size=20), headers=headers)
        def compare(path: bytes, query: bytes, headers: list[tuple[bytes, bytes]]) -> None:
            lower = [(name.lower(), value) for name, value in headers]
            target = b"/items/" + path.replace(b"?", b"") + b"?" + query
            request = Request(target, headers=lower)
            assert ask(bare, request).without_ids() == recorded.ask(request).without_ids()

        compare()

    def test_every_request_is_recorded_once(self, instrument: Instrument) -> None:
        """Every request is recorded once, whatever its bytes are."""
        recorded = instrument()
        for request in REQUESTS.values():
            recorded.ask(request)

        assert len(REQUESTS) == recorded.samples().total()
        assert 0 == recorded.active()


class TestExport:
    def test_spans_can_be_exported(self, recorded: Recorded) -> None:
        """The spans of all requests can be exported, as UTF-8."""
        for request in REQUESTS.values():
            recorded.ask(request)
        exported = encode_spans(recorded.captured.spans()).SerializeToString()

        assert b"/items/{item_id}" in exported

    @pytest.mark.parametrize("accept", [TEXT, OPENMETRICS])
    def test_metrics_can_be_scraped(self, recorded: Recorded, accept: str) -> None:
        """The page of metrics can be scraped after all requests."""
        for request in REQUESTS.values():
            recorded.ask(request)
        response = recorded.ask(Request("/metrics", headers=[(b"accept", accept.encode())]))

        assert 200 == response.status
        assert [] != parse_page(response.body.decode(), accept)

    @pytest.mark.parametrize("name", ["long header", "long path", "long baggage"])
    def test_attributes_are_bounded(self, recorded: Recorded, name: str) -> None:
        """No attribute of a span is longer than 4,096 characters."""
        recorded.ask(REQUESTS[name])

        values = (recorded.span().attributes or {}).values()
        assert [] == [value for value in values if len(str(value)) > 4096]


class TestParent:
    def test_bad_traceparent_starts_new_trace(self, recorded: Recorded) -> None:
        """A bad traceparent starts a new trace."""
        recorded.ask(REQUESTS["bad traceparent"])

        assert recorded.span().parent is None

    def test_two_traceparents_start_new_trace(self, recorded: Recorded) -> None:
        """Two traceparents start a new trace, because neither can be trusted."""
        recorded.ask(REQUESTS["two traceparents"])

        assert recorded.span().parent is None

    def test_unsampled_parent_has_no_span_and_is_counted(self, recorded: Recorded) -> None:
        """A request of an unsampled trace has no span, and is counted."""
        recorded.ask(Request("/items/7", headers=[parent("00")]))

        assert [] == recorded.spans()
        assert {Sample("GET", "/items/{item_id}"): 1} == recorded.samples()

    def test_unsampled_request_has_no_exemplar(self, recorded: Recorded) -> None:
        """A request of an unsampled trace has no exemplar."""
        recorded.ask(Request("/items/7", headers=[parent("00")]))
        page = recorded.captured.prometheus_text(OPENMETRICS)

        assert TRACE_ID not in page

    def test_unsampled_request_has_trace_id_in_log_lines(self, recorded: Recorded) -> None:
        """The log lines of an unsampled request have its trace id."""
        recorded.ask(Request("/bind", "POST", headers=[parent("00")]))

        assert [TRACE_ID] == [line["trace_id"] for line in recorded.lines("bound")]

    def test_long_tracestate_is_bounded(self, recorded: Recorded) -> None:
        """A long tracestate leaves at most 32 members in the trace state."""
        recorded.ask(Request("/items/7", headers=[parent(), *REQUESTS["long tracestate"].headers]))

        context = recorded.span().context
        assert TRACE_ID == f"{context.trace_id:032x}"
        assert 32 >= len(context.trace_state)


class TestSecrets:
    @pytest.mark.parametrize(
        "target",
        [
            "/items/7?token=hunter2&password=hunter2",
            "/items/7?hunter2",
            "/nowhere?a=b&next=https://ann:hunter2@example.com/",
            "/fail?api_key=hunter2",
        ],
    )
    def test_values_of_query_are_nowhere(self, recorded: Recorded, target: str) -> None:
        """The values of a query are in no span, no series and no log line."""
        recorded.ask(target)

        assert "hunter2" not in everything(recorded)

    def test_headers_with_secrets_are_nowhere(
        self, instrument: Instrument, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Captured headers with secrets are in no span, no series and no log line."""
        monkeypatch.setenv("OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST", ".*")
        recorded = instrument()
        secret = [(name, b"hunter2") for name in (b"authorization", b"cookie", b"x-api-key")]
        recorded.ask(Request("/items/7", headers=secret))

        assert "hunter2" not in everything(recorded)


def everything(recorded: Recorded) -> str:
    """Return all telemetry as text."""
    spans: list[Any] = [span.to_json() for span in recorded.captured.spans()]
    return json.dumps([spans, recorded.captured.logs(), recorded.captured.prometheus_text()])

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext, TraceFlags

from otel_meta.web.asgi import Header
from otel_meta.web.engine.response_headers import (
    copy_of_start,
    read_headers,
    trace_headers,
    with_ids,
)

ORIGIN = (b"Access-Control-Allow-Origin", b"https://shop.example")
EXPOSED = b"access-control-expose-headers"
IDS = [(b"x-request-id", b"7"), (b"server-timing", b"trace")]
SPAN = SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(1))
NAMES = st.sampled_from(
    [b"X-Request-ID", b"Server-Timing", b"Set-Cookie", b"Access-Control-Expose-Headers", b"a"]
)
VALUES = st.sampled_from([b"", b"a", b"A, b", b"*", b"x-request-id", b"Server-Timing , c"])
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=6)


def sent(*headers: Header) -> list[Header]:
    """Return the headers of a response with ids."""
    return with_ids(headers, read_headers(headers), IDS)


def exposed(headers: list[Header]) -> list[bytes]:
    """Return what a script of another origin may read."""
    values = [value for name, value in headers if name.lower() == EXPOSED]
    return [each.strip().lower() for each in b",".join(values).split(b",")]


class TestWithIds:
    def test_ids_follow_headers_of_application(self) -> None:
        """The ids follow the headers of the application."""
        assert [(b"A", b"1"), (b"a", b"2"), *IDS] == sent((b"A", b"1"), (b"a", b"2"))

    def test_request_id_of_application_is_kept(self) -> None:
        """A request id of the application is kept, in any case of its name."""
        assert [(b"X-Request-Id", b"8"), IDS[1]] == sent((b"X-Request-Id", b"8"))

    def test_other_server_timing_of_application_is_kept(self) -> None:
        """The application's own server-timing is kept beside the ids: the header is a list."""
        assert [(b"server-timing", b"db;dur=1"), *IDS] == sent((b"server-timing", b"db;dur=1"))

    def test_browser_of_other_origin_may_read_ids(self) -> None:
        """A browser of another origin may read the ids if the response is meant for the origin."""
        headers = sent(ORIGIN)

        assert [b"x-request-id", b"server-timing"] == exposed(headers)
        assert (b"timing-allow-origin", ORIGIN[1]) in headers

    def test_without_allowed_origin_nothing_is_exposed(self) -> None:
        """Without an allowed origin, no header is exposed."""
        assert {b"x-request-id", b"server-timing"} == {name for name, _ in sent()}

    def test_origin_that_may_read_times_is_kept(self) -> None:
        """The application's own choice of an origin for times is kept."""
        headers = sent(ORIGIN, (b"Timing-Allow-Origin", b"*"))

        assert [b"*"] == [
            value for name, value in headers if name.lower() == b"timing-allow-origin"
        ]

    @given(HEADERS)
    def test_any_headers_of_application_stay_exposed(self, headers: list[Header]) -> None:
        """Under CORS, one header exposes the names of the application and the ids, each once."""
        result = sent(ORIGIN, *headers)
        names = exposed(result)

        assert 1 == sum(name.lower() == EXPOSED for name, _ in result)
        assert {b"x-request-id", b"server-timing"} <= set(names)
        assert {*exposed(headers)} - {b""} <= set(names)
        assert 1 == names.count(b"x-request-id") or 1 < exposed(headers).count(b"x-request-id")

    @given(HEADERS, st.booleans())
    def test_no_header_of_application_is_lost(self, headers: list[Header], cors: bool) -> None:
        """No other header of the application is lost or reordered."""
        given = [ORIGIN, *headers] if cors else headers
        others = [each for each in given if each[0].lower() != EXPOSED]
        result = [each for each in sent(*given) if each[0].lower() != EXPOSED]

        assert others == result[: len(others)]


class TestTraceHeaders:
    def test_header_names_server_span(self) -> None:
        """The header server-timing names the server span; traceresponse does so by option."""
        text = b"00-00000000000000000000000000000abc-0000000000000def-01"
        timing, response = (b"server-timing", b"trace;desc=" + text), (b"traceresponse", text)

        assert [timing] == trace_headers(SPAN, traceresponse=False)
        assert [timing, response] == trace_headers(SPAN, traceresponse=True)

    def test_missing_span_has_no_header(self) -> None:
        """A missing span has no header."""
        assert [] == trace_headers(INVALID_SPAN_CONTEXT, traceresponse=True)


class TestCopyOfStart:
    @pytest.mark.parametrize("kind", [list, tuple, iter])
    def test_copy_has_headers_of_any_kind_in_list(self, kind: type) -> None:
        """A copy has the headers in a list, and the message of the application is unchanged."""
        message = {"type": "http.response.start", "headers": kind([(b"a", b"b")])}

        assert {"type": "http.response.start", "headers": [(b"a", b"b")]} == copy_of_start(message)

    def test_message_without_headers_has_none(self) -> None:
        """A message without headers has an empty list."""
        assert {"headers": []} == copy_of_start({})

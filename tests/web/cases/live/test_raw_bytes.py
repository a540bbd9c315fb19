from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .served import LIVE, Answer, Served, parse, request_of

REQUESTS = {
    "plain": request_of("/items/7"),
    "user agent": request_of("/items/7", "user-agent: \xff\\x"),
    "host": b"GET /items/7 HTTP/1.1\r\nhost: a\xff\\x\r\nconnection: close\r\n\r\n",
    "surrogate in host": b"GET / HTTP/1.1\r\nhost: \xed\xa0\x80\r\nconnection: close\r\n\r\n",
    "no host": b"GET /items/7 HTTP/1.0\r\n\r\n",
    "header name": request_of("/items/7", "x-\xff: a"),
    "query": request_of("/items/7?a=\xff\xfe"),
    "escaped query": request_of("/items/7?a=%FF"),
    "path": request_of("/items/%FF"),
    "surrogate in path": request_of("/items/%ED%A0%80"),
    "unknown method": request_of("/items/7", method="EVIL"),
    "long header": request_of("/items/7", "user-agent: " + "a" * 50_000),
    "long path": request_of("/items/" + "7" * 20_000),
    "content-length of letters": request_of("/upload", "content-length: abc", method="POST"),
    "traceparent": request_of("/items/7", "traceparent: \xff"),
    "tracestate": request_of("/items/7", "tracestate: " + ",".join(f"a{n}=b" for n in range(600))),
    "baggage": request_of("/items/7", "baggage: " + "a=b," * 10_000),
    "forwarded": request_of("/items/7", "x-forwarded-for: \xff"),
    "exception": request_of("/fail"),
    "exception after response": request_of("/session"),
    "failed background task": request_of("/failing-task"),
    "stream": request_of("/stream"),
    "stream fails": request_of("/broken-stream"),
    "no response": request_of("/silent"),
    "half a body": request_of("/half"),
    "HEAD": request_of("/items/7", method="HEAD"),
    "mount": request_of("/sub/hello/ann"),
}
"""The bytes of requests of all kinds."""


def answer(served: Served, app: str, request: bytes) -> Answer:
    """Return the response of one application."""
    served.get(f"/-/{app}")
    try:
        return parse(served.send(request))
    finally:
        served.get("/-/instrumented")


class TestSameResponse:
    @pytest.mark.parametrize("name", REQUESTS)
    def test_bytes_get_response_without_telemetry(self, served: Served, name: str) -> None:
        """The same bytes get the response without telemetry: status, headers and body."""
        request = REQUESTS[name]

        assert answer(served, "bare", request) == answer(served, "instrumented", request)

    def test_any_header_gets_response_without_telemetry(self, served: Served) -> None:
        """Any bytes in headers get the response without telemetry."""
        names = st.sampled_from(["host", "user-agent", "traceparent", "baggage", "x-request-id"])
        values = st.binary(max_size=30).map(lambda value: value.decode("latin-1"))

        @settings(LIVE, max_examples=15)
        @given(st.lists(st.tuples(names, values), max_size=3))
        def compare(headers: list[tuple[str, str]]) -> None:
            request = request_of("/items/7", *(f"{name}: {value}" for name, value in headers))
            assert answer(served, "bare", request) == answer(served, "instrumented", request)

        compare()


class TestScrape:
    def test_page_of_metrics_survives_host_with_surrogate(self, served: Served) -> None:
        """The page of metrics can be scraped after a Host header with a surrogate."""
        served.send(REQUESTS["surrogate in host"])
        served.send(REQUESTS["host"])

        assert 200 == served.get("/metrics").status_code

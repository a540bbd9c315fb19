"""The failing span of a trace, from answers in the form of Jaeger's HTTP API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_meta.errors import BackendError
from otel_meta.fleet.connection import Connection
from otel_meta.fleet.explain.failing_span import FailingSpan, Jaeger
from tests.runtime.export.raw_server import RawServer, http

ID = "0af7651916cd43dd8448eb211c80319c"
PROCESSES = {"p1": {"serviceName": "shop"}, "p2": {"serviceName": "bank"}}


def span(name: str, parent: str = "", process: str = "p1", **tags: str) -> dict[str, Any]:
    """Return a span that is called by another."""
    return {
        "spanID": name,
        "operationName": f"operation {name}",
        "references": [{"refType": "CHILD_OF", "spanID": parent}] if parent else [],
        "startTime": 1,
        "processID": process,
        "tags": [{"key": key.replace("__", "."), "value": value} for key, value in tags.items()],
        "logs": [],
    }


def asked(*spans: dict[str, Any], status: str = "200 OK") -> FailingSpan | None:
    """Return the failing span of a trace with these spans."""
    body = json.dumps({"data": [{"spans": spans, "processes": PROCESSES}]}).encode()
    with RawServer(http(status, body)) as server:
        return Jaeger(Connection(server.url)).failing_span(ID)


def test_innermost_span_with_an_error_is_the_failing_one() -> None:
    """Of a chain of spans with errors, the innermost is the failing one."""
    error = {"otel__status_code": "ERROR"}
    found = asked(
        span("a", **error),
        span("b", "a", **error),
        span("c", "b", "p2", otel__status_description="declined", **error),
        span("d", "c", "p2"),
    )

    assert (
        FailingSpan(service="bank", operation="operation c", status="declined", exception="")
        == found
    )


def test_exception_is_named_with_its_message_on_one_line() -> None:
    """An exception of the span is named with its type and message, without control characters."""
    failed = span("a", otel__status_code="ERROR", error__type="500")
    fields = {
        "event": "exception",
        "exception.type": "KeyError",
        "exception.message": "a\n\x1b[1mb",
    }
    failed["logs"] = [{"fields": [{"key": k, "value": v} for k, v in fields.items()]}]
    found = asked(failed)

    assert found is not None
    assert ("500", "KeyError: a [1mb") == (found["status"], found["exception"])


def test_trace_without_an_error_has_no_failing_span() -> None:
    """A trace without an error has no failing span."""
    assert asked(span("a")) is None


def test_trace_that_is_not_stored_has_no_failing_span() -> None:
    """A trace that sampling left out is no fault of the server."""
    body = json.dumps({"data": None, "errors": [{"code": 404, "msg": "trace not found"}]})
    with RawServer(http("404 Not Found", body.encode())) as server:
        assert Jaeger(Connection(server.url)).failing_span(ID) is None


NO_TRACES = [
    ("200 OK", b"<html>"),
    ("200 OK", b"[]"),
    ("200 OK", b'{"data": 7}'),
    ("404 Not Found", b"page not found"),
    ("500 Internal Server Error", b""),
]


@pytest.mark.parametrize(("status", "body"), NO_TRACES)
def test_other_answers_are_one_line(status: str, body: bytes) -> None:
    """An answer that is no trace is an error of one line with the URL."""
    with RawServer(http(status, body)) as server, pytest.raises(BackendError) as caught:
        Jaeger(Connection(server.url)).failing_span(ID)

    assert str(caught.value).startswith(f"{server.url}: ")
    assert 1 == len(str(caught.value).splitlines())


def test_link_opens_the_trace() -> None:
    """The link of a trace opens its page."""
    assert f"http://j:1/x/trace/{ID}" == Jaeger(Connection("http://j:1/x/")).link(ID)

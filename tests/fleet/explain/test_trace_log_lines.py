from __future__ import annotations

import json

from otel_meta.fleet.explain.trace_log_lines import log_lines

A, B = "a" * 32, "b" * 32


def line(trace_id: str, event: str, **fields: str) -> str:
    """Return a log line as otel_meta writes it."""
    record = {"timestamp": "2026-01-31T12:00:00Z", "level": "error", "event": event}
    return json.dumps({**record, **fields, "trace_id": trace_id, "span_id": "1"})


def test_lines_of_a_trace_are_found_with_their_fields() -> None:
    """The lines of a trace have time, level, event and the fields of the call, without ids."""
    lines = [line(A, "declined", order="7"), line(B, "other"), "no JSON", f"text with {A}"]

    assert {A: ["2026-01-31T12:00:00Z error declined order=7"]} == log_lines(lines, [A])


def test_last_lines_of_a_trace_are_kept() -> None:
    """Of many lines of a trace, the last five are kept."""
    found = log_lines([line(A, f"e{number}") for number in range(9)], [A, B])

    assert ["e4", "e5", "e6", "e7", "e8"] == [text.split()[-1] for text in found[A]]
    assert [] == found[B]


def test_line_of_a_trace_is_one_line_without_control_characters() -> None:
    """A value with control characters cannot change the terminal."""
    (shown,) = log_lines([line(A, "x\n\x1b[31my")], [A])[A]

    assert "2026-01-31T12:00:00Z error x [31my" == shown


def test_line_of_a_request_begins_with_method_route_and_status() -> None:
    """The line of a request has method, route and status before what may be cut off."""
    request = {
        "http_route": "/payments",
        "client_address": "127.0.0.1:1",
        "http_request_method": "POST",
        "http_response_status_code": "503",
    }
    (shown,) = log_lines([line(A, "request", path="x" * 300, **request)], [A])[A]

    assert shown.startswith("2026-01-31T12:00:00Z error request POST /payments 503 path=xxx")

"""How spans tell the end of a request: with otel_meta, and by the instrumentations alone.

``python -m tests.web.other_engines.ends`` prints the table in ``docs/engines.md``.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Final, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from tests.web.cases.driver import Request, ask, connect

from .parity import RECORDERS
from .telemetry_keys import Send

NAMES: Final = ("otel_meta", "contrib alone", "FastAPI alone")


class End(NamedTuple):
    """An end of a request, and the cell of the table for each of `NAMES`."""

    claim: str
    send: Send
    cells: tuple[str, str, str]

    def cell(self, recorder: str) -> str:
        """Return the cell of a recorder; the engines of otel_meta share one."""
        return self.cells[NAMES.index(recorder) if recorder in NAMES else 0]


def _http(request: Request) -> Send:
    return partial(ask, request=request)


def _socket(path: str, code: int | None = None, texts: tuple[str, ...] = ()) -> Send:
    return partial(connect, path=path, texts=texts, code=code)


ENDS: Final = (
    End(
        "A handler raises.",
        _http(Request("/fail")),
        ("500, error ShopError", "500, error 500", "500, error ShopError"),
    ),
    End(
        "A response has a status from 500.",
        _http(Request("/closed")),
        ("503, error 503", "503, error 503", "503, error 503"),
    ),
    End("A dependency refuses the request.", _http(Request("/guarded")), ("403", "403", "403")),
    End(
        "A stream raises midway.",
        _http(Request("/broken-stream")),
        ("200, error ShopError", "200, error without type", "200, error ShopError"),
    ),
    End(
        "A background task raises after the response.",
        _http(Request("/failing-task")),
        ("200", "200", "200"),
    ),
    End(
        "The application sends no response.",
        _http(Request("/silent")),
        ("no status, error incomplete_response", "no status", "no status, error RuntimeError"),
    ),
    End(
        "The application leaves a response incomplete.",
        _http(Request("/half")),
        ("200, error incomplete_response", "200", "200, error RuntimeError"),
    ),
    End(
        "The client leaves during a stream.",
        _http(Request("/endless", leaves_after=3)),
        ("200", "200", "200, error ConnectionError"),
    ),
    End(
        "The connection breaks during a stream.",
        _http(Request("/endless", breaks_after=3)),
        ("200", "200, error without type", "200, error OSError"),
    ),
    End(
        "The server cancels the application.",
        _http(Request("/wait", is_cancelled=True)),
        ("no status", "no status", "no status, error CancelledError"),
    ),
    End(
        "The client closes a WebSocket.",
        _socket("/rooms/berlin", 1000, ("hello",)),
        ("101", "200", "no status"),
    ),
    End(
        "A WebSocket loses its client.",
        _socket("/wait-for-text", 1006),
        ("101", "no status, error without type", "no status, error WebSocketDisconnect"),
    ),
    End(
        "A handler of a WebSocket raises.",
        _socket("/fail-socket"),
        ("101, error ShopError", "no status, error without type", "no status, error ShopError"),
    ),
    End(
        "A handler of a WebSocket raises after the close.",
        _socket("/close-and-fail"),
        ("101", "no status, error without type", "no status, error ShopError"),
    ),
    End(
        "The application closes a WebSocket with 1011.",
        _socket("/close/1011"),
        ("101, error server_error", "no status", "no status"),
    ),
    End(
        "The application refuses the handshake.",
        _socket("/reject"),
        ("403", "no status", "no status"),
    ),
)


def described(recorder: str, end: End) -> str:
    """Return the cell for what a recorder records of an end."""
    spans = RECORDERS[recorder](end.send).spans
    (span,) = [span for span in spans if span.kind is SpanKind.SERVER]
    return _cell(span)


def _cell(span: ReadableSpan) -> str:
    attributes = span.attributes or {}
    parts = [str(attributes.get("http.response.status_code", "no status"))]
    if span.status.status_code is StatusCode.ERROR:
        error = str(attributes.get("error.type", "without type"))
        parts.append(f"error {error.rpartition('.')[2]}")
    return ", ".join(parts)


def table() -> str:
    """Return the table as Markdown."""
    head = f"| end | {' | '.join(NAMES)} |"
    lines = [f"| {end.claim} | {' | '.join(end.cells)} |" for end in ENDS]
    return "\n".join([head, f"|{'---|' * (len(NAMES) + 1)}", *lines])


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")

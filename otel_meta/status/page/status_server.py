"""A small server of the page of SLOs, for the statuses of a whole fleet.

The server asks a function for the statuses. While the function fails, the page shows the last
answer, its age and the error.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Final, Self
from urllib.parse import urlsplit

from otel_meta.errors import OtelMetaError
from otel_meta.status.status_json import StatusJson

from .html_page import render_page
from .page_context import PageContext
from .representation import Representation, represented

Fetch = Callable[[], Sequence[StatusJson]]
"""Returns the current statuses; raises `BackendError` with the reason in one line."""

PATHS: Final = ("/", "/slo")
HEALTH: Final = "/healthz"
LOOPBACK: Final = "127.0.0.1"
MAX_AGE: Final = 10.0
"""Seconds in which an answer serves further requests."""

_TEXT: Final = {"content-type": "text/plain; charset=utf-8"}
_JSON: Final = {"content-type": "application/json"}


@dataclass(frozen=True)
class Answer:
    """The latest statuses.

    Args:
        rows: the statuses; empty before the first answer.
        measured_at: seconds since 1970 of the statuses; None before the first answer.
        problem: why the statuses are not newer, in one line.
    """

    rows: Sequence[StatusJson] = ()
    measured_at: float | None = None
    problem: str = ""


class CachedStatuses:
    """The statuses of a function, kept for some seconds, and for longer while the function fails.

    Args:
        fetch: returns the current statuses.
        max_age: seconds between two calls of the function.
        clock: seconds since 1970.
    """

    def __init__(self, fetch: Fetch, max_age: float, clock: Callable[[], float]) -> None:
        self._fetch: Final = fetch
        self._max_age: Final = max_age
        self._clock: Final = clock
        self._answer = Answer()
        self._asked_at = float("-inf")
        self._lock: Final = Lock()

    def latest(self) -> Answer:
        """Return the latest statuses; ask for new ones if these are old.

        Only the first answer is waited for by several requests: later, requests get the last answer
        while one of them asks.
        """
        is_first = self._answer == Answer()
        if self._lock.acquire(blocking=is_first):
            try:
                self._update()
            finally:
                self._lock.release()
        return self._answer

    def _update(self) -> None:
        if self._clock() - self._asked_at < self._max_age:
            return
        try:
            self._answer = Answer(self._fetch(), self._clock())
        except Exception as error:  # noqa: BLE001 - the page of an incident stays readable
            self._answer = replace(self._answer, problem=_described(error))
        self._asked_at = self._clock()


def _described(error: Exception) -> str:
    """Return the text of an error in one line."""
    name = "" if isinstance(error, OtelMetaError) else f"{type(error).__name__}: "
    return " ".join(f"{name}{error}".split())


class StatusServer:
    """Serves the page until it is closed; a context manager.

    Args:
        fetch: returns the current statuses.
        context: the surroundings of the page; times and problem are those of each answer.
        host: the address to listen on.
        port: the port; 0 for any free port.
        max_age: seconds between two calls of ``fetch``.
        clock: seconds since 1970.

    Raises:
        OSError: the port is in use, or the host is no address of this machine.
    """

    def __init__(
        self,
        fetch: Fetch,
        context: PageContext,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        max_age: float = MAX_AGE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        statuses = CachedStatuses(fetch, max_age, clock)

        class Handler(_Handler):
            def represent(self, query: str) -> Representation:
                accept = self.headers.get("accept", "")
                return _represented(accept, query, statuses.latest(), context, clock())

        self._server: Final = _Server((host, port), Handler)
        self.host: Final = host
        self.port: Final[int] = self._server.server_address[1]
        self._thread: Final = Thread(target=self.serve, name="page of SLOs", daemon=True)

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{self.host}:{self.port}/"

    def serve(self) -> None:
        """Serve on the calling thread, until `close` or an interruption."""
        self._server.serve_forever(poll_interval=0.1)

    def start(self) -> None:
        """Serve on a thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _represented(
    accept: str, query: str, answer: Answer, context: PageContext, now: float
) -> Representation:
    """Return the page of an answer; without any answer the status is 503."""
    measured_at = now if answer.measured_at is None else answer.measured_at
    page = {
        "slos": answer.rows,
        "age_seconds": None if answer.measured_at is None else round(now - measured_at, 1),
        "problem": answer.problem or None,
    }
    current = replace(context, measured_at=measured_at, now=now, problem=answer.problem)
    return represented(
        accept,
        query,
        render_json=lambda: json.dumps(page, separators=(",", ":")).encode(),
        render_html=lambda: render_page(answer.rows, current),
        status=503 if answer.measured_at is None else 200,
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that disconnect early."""


class _Handler(BaseHTTPRequestHandler):
    """Handles GET and HEAD; the base class answers other methods with 501."""

    server_version = "otel_meta"
    sys_version = ""
    timeout = 10

    def represent(self, query: str) -> Representation:
        """Return the page."""
        raise NotImplementedError

    def do_GET(self) -> None:
        self._respond(with_body=True)

    def do_HEAD(self) -> None:
        self._respond(with_body=False)

    def _respond(self, *, with_body: bool) -> None:
        status, headers, body = self._answered()
        self.send_response(status)
        fixed = {"content-length": str(len(body)), "cache-control": "no-store"}
        for name, value in {**headers, **fixed}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _answered(self) -> Representation:
        _, _, path, query, _ = urlsplit(self.path)
        if path in PATHS:
            return self.represent(query)
        if path == HEALTH:
            return Representation(200, _JSON, b'{"status":"ok"}')
        return Representation(404, _TEXT, f"served: {', '.join((*PATHS, HEALTH))}\n".encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class' name
        """Log nothing: a line for each refresh would be noise."""

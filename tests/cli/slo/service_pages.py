"""A server of /slo pages that answers as each test says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from otel_meta.status.status_json import StatusJson
from otel_meta.testing.loopback import LOOPBACK
from tests.cli.slo.status_rows import status_row


def page(service: str, *rows: StatusJson) -> bytes:
    """Return the page of a service."""
    labels = {"service_name": service, "service_namespace": "titan-microservices-mesh"}
    return json.dumps({**labels, "slos": rows}).encode()


@dataclass
class ServicePages:
    """What the server answers, and the requests that it got."""

    url: str
    body: bytes = page("payments", status_row())
    status: int = 200
    answers: Event = field(default_factory=Event)
    """While unset, the server does not answer."""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and headers."""


@contextmanager
def service_pages() -> Iterator[ServicePages]:
    """Serve pages on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            pages.requests.append((self.path, headers))
            pages.answers.wait(60)
            self.send_response(pages.status)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(pages.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
            """Log nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    server.daemon_threads = True
    pages = ServicePages(f"http://{LOOPBACK}:{server.server_port}")
    pages.answers.set()
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield pages
    pages.answers.set()
    server.shutdown()
    thread.join()
    server.server_close()

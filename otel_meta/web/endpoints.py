"""The endpoints /metrics, /slo, /healthz and /readyz as ASGI applications."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import orjson

from otel_meta.runtime.prometheus.handler import ScrapeRequest
from otel_meta.runtime.telemetry import Telemetry

from .asgi import App, Receive, Scope, Send, header
from .readiness import Readiness

_JSON: Final = "application/json"
_CHUNK: Final = 65_536
"""Bytes in one message: copying a large page at once would block the event loop."""


class EndpointResponse(NamedTuple):
    """The response of an endpoint."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})
    """Further headers, by name in lower case."""


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Paths of the endpoints; None disables an endpoint."""

    metrics: str | None = "/metrics"
    slo: str | None = "/slo"
    live: str | None = "/healthz"
    ready: str | None = "/readyz"


def endpoints(telemetry: Telemetry, readiness: Readiness, paths: Paths) -> Mapping[str, App]:
    """Return the endpoints by path; /metrics only if metrics are exported to Prometheus."""
    handlers = {
        paths.metrics if telemetry.scrape is not None else None: _metrics(telemetry),
        paths.slo: _slo(telemetry),
        paths.live: _live,
        paths.ready: _ready(readiness),
    }
    return {path: _app(handler) for path, handler in handlers.items() if path is not None}


Handler = Callable[[Scope], Awaitable[EndpointResponse]]


def _metrics(telemetry: Telemetry) -> Handler:
    async def handle(scope: Scope) -> EndpointResponse:
        scrape = telemetry.scrape
        if scrape is None:
            return EndpointResponse(404, "text/plain", b"metrics are not exported to Prometheus\n")
        # In a thread: rendering thousands of series would block the event loop.
        status, headers, body = await asyncio.to_thread(scrape.handle, _scrape_request(scope))
        return EndpointResponse(status, headers["content-type"], body, headers)

    return handle


def _scrape_request(scope: Scope) -> ScrapeRequest:
    return ScrapeRequest(
        query=scope.get("query_string", b"").decode("latin-1"),
        accept=header(scope, b"accept"),
        accept_encoding=header(scope, b"accept-encoding"),
        authorization=header(scope, b"authorization"),
    )


def _slo(telemetry: Telemetry) -> Handler:
    async def handle(_scope: Scope) -> EndpointResponse:
        statuses = await asyncio.to_thread(telemetry.tracker.statuses)
        page = {
            "service_name": telemetry.settings.service_name,
            "service_namespace": telemetry.settings.namespace,
            "slos": [status.as_json() for status in statuses],
        }
        return EndpointResponse(200, _JSON, orjson.dumps(page))

    return handle


async def _live(_scope: Scope) -> EndpointResponse:
    return EndpointResponse(200, _JSON, b'{"status":"ok"}')


def _ready(readiness: Readiness) -> Handler:
    async def handle(_scope: Scope) -> EndpointResponse:
        if await readiness.ready():
            return EndpointResponse(200, _JSON, b'{"status":"ready"}')
        return EndpointResponse(503, _JSON, b'{"status":"not ready"}')

    return handle


def _app(handler: Handler) -> App:
    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["method"] in {"GET", "HEAD"}:
            await _send(send, await handler(scope), with_body=scope["method"] == "GET")
        else:
            await _send(send, _NOT_GET, with_body=True)

    return app


_NOT_GET: Final = EndpointResponse(405, "text/plain", b"use GET\n", {"allow": "GET, HEAD"})


async def _send(send: Send, response: EndpointResponse, *, with_body: bool) -> None:
    headers = {
        **response.headers,
        "content-type": response.content_type,
        "content-length": str(len(response.body)),
        "cache-control": "no-store",
    }
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": pairs})
    body = memoryview(response.body if with_body else b"")
    for start in range(0, len(body), _CHUNK):
        chunk = bytes(body[start : start + _CHUNK])
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})

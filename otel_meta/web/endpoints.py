"""/metrics, /slo, /healthz and /readyz, as small ASGI applications."""

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
_PIECE: Final = 65_536
"""Bytes sent at once: a large page is not copied whole while the event loop waits."""


class Answer(NamedTuple):
    """What an endpoint says."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})
    """Further ones, by name in lower case."""


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Where the endpoints are; None leaves one out."""

    metrics: str | None = "/metrics"
    slo: str | None = "/slo"
    live: str | None = "/healthz"
    ready: str | None = "/readyz"


def endpoints(telemetry: Telemetry, readiness: Readiness, paths: Paths) -> Mapping[str, App]:
    """The endpoints by path. /metrics is among them where metrics are exported to Prometheus."""
    answers = {
        paths.metrics if telemetry.scrape is not None else None: _metrics(telemetry),
        paths.slo: _slo(telemetry),
        paths.live: _live,
        paths.ready: _ready(readiness),
    }
    return {path: _app(answer) for path, answer in answers.items() if path is not None}


Answering = Callable[[Scope], Awaitable[Answer]]


def _metrics(telemetry: Telemetry) -> Answering:
    async def answer(scope: Scope) -> Answer:
        scrape = telemetry.scrape
        if scrape is None:
            return Answer(404, "text/plain", b"metrics are not exported to Prometheus\n")
        # In a thread: rendering thousands of series must not stop the event loop.
        status, headers, body = await asyncio.to_thread(scrape.handle, _asked(scope))
        return Answer(status, headers["content-type"], body, headers)

    return answer


def _asked(scope: Scope) -> ScrapeRequest:
    return ScrapeRequest(
        query=scope.get("query_string", b"").decode("latin-1"),
        accept=header(scope, b"accept"),
        accept_encoding=header(scope, b"accept-encoding"),
        authorization=header(scope, b"authorization"),
    )


def _slo(telemetry: Telemetry) -> Answering:
    async def answer(_scope: Scope) -> Answer:
        statuses = await asyncio.to_thread(telemetry.tracker.statuses)
        page = {
            "service_name": telemetry.settings.service_name,
            "service_namespace": telemetry.settings.namespace,
            "slos": [status.as_json() for status in statuses],
        }
        return Answer(200, _JSON, orjson.dumps(page))

    return answer


async def _live(_scope: Scope) -> Answer:
    return Answer(200, _JSON, b'{"status":"ok"}')


def _ready(readiness: Readiness) -> Answering:
    async def answer(_scope: Scope) -> Answer:
        if await readiness.ready():
            return Answer(200, _JSON, b'{"status":"ready"}')
        return Answer(503, _JSON, b'{"status":"not ready"}')

    return answer


def _app(answering: Answering) -> App:
    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["method"] in {"GET", "HEAD"}:
            await _send(send, await answering(scope), with_body=scope["method"] == "GET")
        else:
            await _send(send, _NOT_GET, with_body=True)

    return app


_NOT_GET: Final = Answer(405, "text/plain", b"use GET\n", {"allow": "GET, HEAD"})


async def _send(send: Send, answer: Answer, *, with_body: bool) -> None:
    headers = {
        **answer.headers,
        "content-type": answer.content_type,
        "content-length": str(len(answer.body)),
        "cache-control": "no-store",
    }
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    body = memoryview(answer.body if with_body else b"")
    for start in range(0, len(body), _PIECE):
        piece = bytes(body[start : start + _PIECE])
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})

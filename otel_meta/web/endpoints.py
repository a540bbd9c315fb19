"""/metrics, /slo, /healthz and /readyz, as small ASGI applications."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson

from otel_meta.runtime.telemetry import Telemetry

from .asgi import App, Receive, Scope, Send, header
from .readiness import Readiness

_JSON: Final = "application/json"


class Answer(NamedTuple):
    """What an endpoint says."""

    status: int
    content_type: str
    body: bytes


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
        body, content_type = await asyncio.to_thread(scrape.render, header(scope, b"accept"))
        return Answer(200, content_type, body)

    return answer


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
            await _send(send, Answer(405, "text/plain", b"use GET\n"), with_body=True)

    return app


async def _send(send: Send, answer: Answer, *, with_body: bool) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if with_body else b""})

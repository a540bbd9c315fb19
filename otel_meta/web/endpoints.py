"""The endpoints /metrics, /slo, /healthz and /readyz as ASGI applications."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.bounded_threads import BoundedThreads
from otel_meta.runtime.prometheus.handler import (
    SCRAPE_TIMEOUT,
    UNAUTHORIZED,
    Response,
    ScrapeRequest,
)
from otel_meta.runtime.recording.faults import logger
from otel_meta.runtime.slo.status_page import NO_SLOS
from otel_meta.runtime.telemetry import Telemetry

from .asgi import App, Receive, Scope, Send, header
from .frameworks import has_route
from .readiness import Readiness

PAGE_TIMEOUT: Final = 10.0
"""Seconds for a page: the default scrape timeout of Prometheus."""

_MAX_PAGES: Final = 4
"""Pages of an endpoint that are computed at a time."""
_PATH: Final = re.compile(r"(/[^/\s?#]+)+")
_JSON: Final = "application/json"
_CHUNK: Final = 65_536
"""Bytes in one message: copying a large page at once would block the event loop."""
_OWN_METRICS: Final = (
    "the application has a route of its own at %s, which keeps the path: the metrics of otel_meta "
    "(requests, meta-repositories, OpenTelemetry's SDK) are not on that page. Remove the route, "
    "because otel_meta's page has the metrics of prometheus_client too; or serve otel_meta's page "
    "at another path: instrument_fastapi(app, paths=Paths(metrics='/otel-metrics'))"
)
_OWN_SLO: Final = (
    "the application has a route of its own at %s, which keeps the path: the SLOs of otel_meta are "
    "not on that page. Serve them at another path: "
    "instrument_fastapi(app, paths=Paths(slo='/otel-slo'))"
)


class EndpointResponse(NamedTuple):
    """The response of an endpoint."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})
    """Further headers, by name in lower case."""


@dataclass(frozen=True, kw_only=True)
class Paths:
    """Paths of the endpoints; None disables an endpoint.

    Raises:
        ConfigurationError: a path could never be requested, or belongs to two endpoints.
    """

    metrics: str | None = "/metrics"
    slo: str | None = "/slo"
    live: str | None = "/healthz"
    ready: str | None = "/readyz"

    def __post_init__(self) -> None:
        """Refuse paths that would leave an endpoint out without a word."""
        given = {name: path for name, path in asdict(self).items() if path is not None}
        for name, path in given.items():
            if not (isinstance(path, str) and _PATH.fullmatch(path)):
                raise ConfigurationError(
                    f"Paths({name}={path!r}): give a path with a slash at the beginning and none "
                    f"at the end, such as '/otel-{name}'"
                )
            if list(given.values()).count(path) > 1:
                raise ConfigurationError(
                    f"Paths({name}={path!r}): another endpoint has this path; give each its own"
                )


Handler = Callable[[Scope], Awaitable[EndpointResponse]]


class Endpoints:
    """The endpoints, except those whose path the application serves itself.

    Args:
        telemetry: the source of the pages.
        readiness: decides on /readyz.
        paths: the paths; /metrics is served only if metrics are exported to Prometheus.
        routes: returns the current routes of the application, which may add routes until it serves.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        readiness: Readiness,
        paths: Paths,
        routes: Callable[[], Iterable[Any]],
    ) -> None:
        self._telemetry: Final = telemetry
        self._routes: Final = routes
        in_app = telemetry.settings.pages_in_app
        handlers = {
            paths.metrics if in_app and telemetry.scrape is not None else None: _metrics(telemetry),
            paths.slo if in_app else None: _slo(telemetry),
            paths.live: _live,
            paths.ready: _ready(readiness),
        }
        self._apps: Final = {p: _app(handler) for p, handler in handlers.items() if p is not None}
        self._warnings: Final = {paths.metrics: _OWN_METRICS, paths.slo: _OWN_SLO}
        self._slo_path: Final = paths.slo
        self._own: dict[str, bool] = {}
        self._route_count = 0

    @property
    def paths(self) -> Iterable[str]:
        """The paths of all endpoints."""
        return self._apps

    def find(self, path: str) -> App | None:
        """Return the endpoint at a path; None if there is none or the application has a route."""
        endpoint = self._apps.get(path)
        return None if endpoint is None or self._is_own(path) else endpoint

    def log_missing(self) -> None:
        """Log what is not served, and why, when the application has started."""
        served = [path for path in self._apps if self.find(path) is not None]
        if self._slo_path in served and self._telemetry.tracker.is_empty:
            logger.info("%s: %s", self._slo_path, NO_SLOS)

    def _is_own(self, path: str) -> bool:
        """Return True if the application serves a path; warn when this is found out."""
        routes = list(self._routes())
        if len(routes) != self._route_count:
            self._own, self._route_count = {}, len(routes)
        if path not in self._own:
            self._own[path] = has_route(routes, path)
            warning = self._warnings.get(path) if self._own[path] else None
            if warning is not None:
                logger.warning(warning, path)
                del self._warnings[path]
        return self._own[path]


def _metrics(telemetry: Telemetry) -> Handler:
    threads = BoundedThreads("page of metrics", _MAX_PAGES)

    async def handle(scope: Scope) -> EndpointResponse:
        scrape = telemetry.scrape
        if scrape is None:
            return EndpointResponse(404, "text/plain", b"metrics are not exported to Prometheus\n")

        request = _scrape_request(scope)

        def page() -> EndpointResponse:
            return _endpoint_response(scrape.handle(request))

        return await _page(telemetry, threads, "/metrics", page, request)

    return handle


def _scrape_request(scope: Scope) -> ScrapeRequest:
    return ScrapeRequest(
        query=scope.get("query_string", b"").decode("latin-1"),
        accept=header(scope, b"accept"),
        accept_encoding=header(scope, b"accept-encoding"),
        authorization=header(scope, b"authorization"),
        scrape_timeout=header(scope, SCRAPE_TIMEOUT.lower().encode()),
    )


def _slo(telemetry: Telemetry) -> Handler:
    threads = BoundedThreads("page of SLOs", _MAX_PAGES)

    async def handle(scope: Scope) -> EndpointResponse:
        request = _scrape_request(scope)
        if not telemetry.slo_page.is_allowed(request):
            return _endpoint_response(UNAUTHORIZED)

        def page() -> EndpointResponse:
            return _endpoint_response(telemetry.slo_page.handle(request))

        return await _page(telemetry, threads, "/slo", page, request)

    return handle


def _endpoint_response(response: Response) -> EndpointResponse:
    status, headers, body = response
    return EndpointResponse(status, headers["content-type"], body, headers)


async def _page(
    telemetry: Telemetry,
    threads: BoundedThreads,
    name: str,
    compute: Callable[[], EndpointResponse],
    key: Hashable,
) -> EndpointResponse:
    """Compute a page on a thread of otel_meta: thousands of series would block the event loop.

    Equal requests, which wait for a thread together, share a page.
    """
    try:
        return await threads.run(compute, PAGE_TIMEOUT, key)
    except TimeoutError as error:
        telemetry.faults.report(name, type(error).__name__, str(error) or "the page is late")
        return EndpointResponse(503, "text/plain", b"too many requests of this page\n")


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

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import trio
from anyio.to_thread import current_default_thread_limiter, run_sync
from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from otel_meta import Counter, Gauge, MetaRepo, NoLabels, Slo, instrument_fastapi, labels
from otel_meta.errors import ConfigurationError
from otel_meta.testing import CapturedTelemetry, capture
from otel_meta.web import endpoints
from otel_meta.web.endpoints import Paths

if TYPE_CHECKING:
    from tests.conftest import Eventually, Serving
    from tests.web.conftest import Web


@labels
class Tile:
    style: str


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""

    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)
    holes = Counter("atlas.holes", "Tiles that are missing.", NoLabels)
    memory = Gauge("atlas.memory", "Memory.", Tile)
    completeness = Slo(
        "atlas-completeness",
        objective="99%",
        period="30d",
        sli=tiles.ratio(bad=holes),
        why="A map with holes misleads.",
    )


def _events(captured: CapturedTelemetry, beginning: str) -> list[str]:
    """Return the events of the log lines that begin like this."""
    events = [line["event"] for line in captured.logs()]
    return [event for event in events if event.startswith(beginning)]


def _own_text() -> PlainTextResponse:
    return PlainTextResponse("its own")


def _own_route(app: FastAPI, path: str) -> None:
    app.get(path)(_own_text)


def _own_router(app: FastAPI, path: str) -> None:
    router = APIRouter()
    router.get(path)(_own_text)
    app.include_router(router)


def _own_mount(app: FastAPI, path: str) -> None:
    inner = FastAPI()
    inner.get("/")(_own_text)
    app.mount(path, inner)


def _own_asgi_mount(app: FastAPI, path: str) -> None:
    app.mount(path, _own_text())


def _own_route_of_mount(app: FastAPI, path: str) -> None:
    inner = FastAPI()
    inner.get(path)(_own_text)
    app.mount("/", inner)


OWN_ROUTES = {
    "route": _own_route,
    "router": _own_router,
    "mount": _own_mount,
    "ASGI application": _own_asgi_mount,
    "route of a mount": _own_route_of_mount,
}


@pytest.fixture(scope="module")
def client(serving: Serving) -> Iterator[httpx.Client]:
    """A client of a service for map tiles."""
    with capture("maps", Atlas) as captured:
        app = FastAPI()
        instrument_fastapi(app, captured.telemetry)
        atlas = captured.bind(Atlas)
        atlas.tiles.add(100)
        atlas.holes.add(2)
        for number in range(100):
            atlas.memory.set(number, style=str(number))
        with serving(app) as client:
            yield client


class TestMetrics:
    @pytest.mark.parametrize(
        ("accept", "parse", "kind"),
        [
            ("text/plain", parse_text, "text/plain"),
            (
                "application/openmetrics-text; version=1.0.0",
                parse_openmetrics,
                "application/openmetrics-text",
            ),
        ],
    )
    def test_response_is_valid_in_accepted_format(
        self, client: httpx.Client, accept: str, parse: Any, kind: str
    ) -> None:
        """The response is valid in the accepted format."""
        response = client.get("/metrics", headers={"accept": accept})
        samples = {s.name: s.value for family in parse(response.text) for s in family.samples}

        assert response.headers["content-type"].startswith(kind)
        assert 100.0 == samples["atlas_tiles_total"]

    @pytest.mark.parametrize(
        "accept",
        [
            "",
            "*/*",
            "text/html",
            "application/openmetrics-text;version=abc",
            "text/plain;version=abc",
            "application/openmetrics-text;version=9;escaping=odd",
            ";;;",
        ],
    )
    def test_any_accept_header_gets_response(self, client: httpx.Client, accept: str) -> None:
        """Any Accept header gets a response."""
        response = client.get("/metrics", headers={"accept": accept})

        assert (200, True) == (response.status_code, "atlas_tiles_total" in response.text)

    def test_twenty_concurrent_scrapes_each_get_every_series_once(
        self, client: httpx.Client
    ) -> None:
        """Twenty concurrent scrapes each get every series once."""
        with ThreadPoolExecutor(20) as pool:
            texts = [a.text for a in pool.map(lambda _: client.get("/metrics"), range(20))]

        assert [100] * 20 == [text.count("\natlas_memory{") for text in texts]

    def test_query_selects_families_by_name(self, client: httpx.Client) -> None:
        """The query selects families by name."""
        response = client.get("/metrics", params={"name[]": ["atlas_tiles_total", "atlas_holes"]})
        names = [family.name for family in parse_text(response.text)]

        assert ["atlas_tiles", "atlas_holes"] == names

    def test_response_is_compressed_if_client_accepts_gzip(self, client: httpx.Client) -> None:
        """The response is compressed if the client accepts gzip."""
        plain, zipped = (
            client.get("/metrics?name[]=atlas_memory", headers={"accept-encoding": coding})
            for coding in ("identity", "gzip")
        )

        assert (None, "gzip") == tuple(a.headers.get("content-encoding") for a in (plain, zipped))
        assert plain.content == zipped.content  # which the client has unzipped
        assert int(zipped.headers["content-length"]) < int(plain.headers["content-length"])

    def test_page_of_many_chunks_is_complete(self, web: Web, serving: Serving) -> None:
        """A page of many chunks is complete."""
        with serving(web.app) as client:
            memory = web.captured.bind(Atlas).memory
            for number in range(2000):
                memory.set(number, style=f"{number:0100}")
            response = client.get("/metrics", headers={"accept-encoding": "identity"})

        assert 2000 == response.text.count("\natlas_memory{")
        assert len(response.content) == int(response.headers["content-length"])

    def test_token_protects_metrics_and_slo(self, serving: Serving) -> None:
        """A token protects /metrics and /slo, but neither /healthz nor /readyz."""
        with capture("maps", Atlas, prometheus_token="s3cret") as captured:
            app = FastAPI()
            instrument_fastapi(app, captured.telemetry)
            with serving(app) as client:
                statuses = [
                    [
                        client.get(path, headers={"authorization": each}).status_code
                        for each in ("", "Bearer s3cre", "Bearer s3cret")
                    ]
                    for path in ("/metrics", "/slo", "/healthz", "/readyz")
                ]
                refused = client.get("/slo")

        assert [[401, 401, 200]] * 2 + [[200] * 3] * 2 == statuses
        assert "Bearer" == refused.headers["www-authenticate"]

    def test_slow_scrape_does_not_block_other_requests(self, web: Web, serving: Serving) -> None:
        """A slow scrape does not block other requests."""
        scraping, release = threading.Event(), threading.Event()

        class Slow:
            def collect(self) -> Iterator[GaugeMetricFamily]:
                scraping.set()
                release.wait(20)
                yield GaugeMetricFamily("slow", "Slow.", 1)

        web.app.get("/")(lambda: "")
        scrape = web.captured.telemetry.scrape
        assert scrape is not None
        scrape.registry.register(Slow())
        with serving(web.app) as client, ThreadPoolExecutor(1) as pool:
            scraped = pool.submit(client.get, "/metrics")
            scraping.wait(20)
            response = client.get("/")
            during = scraped.done()
            release.set()

            assert (200, False) == (response.status_code, during)
            assert "slow 1.0" in scraped.result(20).text

    def test_without_export_to_prometheus_metrics_belongs_to_application(
        self, serving: Serving
    ) -> None:
        """Without export to Prometheus, /metrics belongs to the application."""
        with capture(metrics="none") as captured:
            app = FastAPI()
            instrument_fastapi(app, captured.telemetry)
            with serving(app) as client:
                assert 404 == client.get("/metrics").status_code


class TestSlo:
    def test_page_has_status_of_every_slo_and_name_of_service(self, client: httpx.Client) -> None:
        """The page has the status of every SLO, and the name of the service.

        A new process has seen too little of the period for a breach.
        """
        page = client.get("/slo").json()
        (slo,) = page["slos"]

        assert ("maps", "atlas-maps") == (page["service_name"], page["service_namespace"])
        assert ("atlas-completeness", "at_risk", 0.98) == (slo["name"], slo["state"], slo["sli"])
        assert (2.0, 100.0) == (slo["bad"], slo["total"])

    def test_page_and_metrics_have_place_of_service(self, serving: Serving) -> None:
        """The page of SLOs and every series have the place of the service."""
        place = {"deployment.environment.name": "staging", "cloud.region": "eu-1"}
        options: Any = {"resource_attributes": place, "identity_attributes": ("cloud.region",)}
        with capture("maps", **options) as captured:
            app = FastAPI()
            instrument_fastapi(app, captured.telemetry)
            with serving(app) as client:
                page, metrics = client.get("/slo").json(), client.get("/metrics").text
        (up,) = (line for line in metrics.splitlines() if line.startswith("otel_meta_up{"))

        assert ("staging", "eu-1") == (page["deployment_environment_name"], page["cloud_region"])
        assert 'cloud_region="eu-1",deployment_environment_name="staging"' in up

    def test_without_slos_page_and_log_say_how_to_have_some(
        self, web: Web, serving: Serving
    ) -> None:
        """Without SLOs, the page and one line at the start say how to have some."""
        with serving(web.app) as client:
            page = client.get("/slo").json()
        hints = _events(web.captured, "/slo")

        assert [] == page["slos"]
        assert "or bind one, as in telemetry.bind(Aurora)" in page["hint"]
        assert [f"/slo: {page['hint']}"] == hints

    def test_with_slos_there_is_no_hint(self, web: Web, serving: Serving) -> None:
        """With SLOs there is no hint."""
        web.captured.bind(Atlas)
        with serving(web.app) as client:
            page = client.get("/slo").json()

        assert "hint" not in page
        assert [] == _events(web.captured, "/slo")


class TestHealth:
    def test_running_process_is_alive(self, client: httpx.Client) -> None:
        """A running process is alive."""
        assert {"status": "ok"} == client.get("/healthz").json()

    def test_started_application_is_ready(self, client: httpx.Client) -> None:
        """A started application is ready."""
        assert {"status": "ready"} == client.get("/readyz").json()

    @pytest.mark.parametrize("check", [lambda: False, lambda: 1 / 0])
    def test_application_is_not_ready_if_its_check_fails_or_raises(
        self, captured_telemetry: CapturedTelemetry, serving: Serving, check: Any
    ) -> None:
        """An application is not ready if its check fails or raises."""
        app = FastAPI()
        instrument_fastapi(app, captured_telemetry.telemetry, ready=check)
        with serving(app) as client:
            response = client.get("/readyz")

            assert (503, {"status": "not ready"}) == (response.status_code, response.json())
            assert 200 == client.get("/healthz").status_code


class TestThreads:
    def test_endpoints_do_not_wait_for_threads_of_application(
        self, captured_telemetry: CapturedTelemetry, serving: Serving, eventually: Eventually
    ) -> None:
        """Endpoints do not wait for the default executor or for FastAPI's threads."""
        app, release = FastAPI(), threading.Event()
        blocked: list[None] = []
        instrument_fastapi(app, captured_telemetry.telemetry, ready=lambda: True)

        def block() -> None:
            blocked.append(None)
            release.wait(20)

        @app.get("/")
        async def fill() -> None:
            loop = asyncio.get_running_loop()
            loop.set_default_executor(ThreadPoolExecutor(1))
            limiter = current_default_thread_limiter()
            limiter.total_tokens = 1
            tasks = [loop.run_in_executor(None, block), asyncio.ensure_future(run_sync(block))]
            await asyncio.gather(*tasks)

        with serving(app) as client, ThreadPoolExecutor(1) as pool:
            filled = pool.submit(client.get, "/")
            eventually(lambda: len(blocked) == 2)
            paths = ("/metrics", "/slo", "/healthz", "/readyz")
            statuses = [client.get(path, timeout=5).status_code for path in paths]
            release.set()

            assert [200] * 4 == statuses
            assert 200 == filled.result(20).status_code

    def test_endpoints_do_not_occupy_threads_of_application(
        self, web: Web, serving: Serving, eventually: Eventually
    ) -> None:
        """Slow scrapes do not occupy the default executor, and run on a few threads."""
        scrape, collecting, release = web.captured.telemetry.scrape, [0], threading.Event()

        class Slow:
            def collect(self) -> list[GaugeMetricFamily]:
                collecting[0] += 1
                release.wait(20)
                return []

        @web.app.get("/")
        async def look_up() -> None:
            await asyncio.to_thread(lambda: None)

        assert scrape is not None
        scrape.registry.register(Slow())
        with serving(web.app) as client, ThreadPoolExecutor(40) as pool:
            scrapes = [pool.submit(client.get, "/metrics") for _ in range(40)]
            eventually(lambda: collecting[0])
            ours = [t for t in threading.enumerate() if t.name == "otel_meta page of metrics"]
            during = client.get("/", timeout=5).status_code
            release.set()

            assert 200 == during
            assert [200] * 40 == [each.result(20).status_code for each in scrapes]
        assert 1 <= len(ours) <= 4

    def test_too_many_waiting_requests_are_refused_and_counted(
        self, web: Web, serving: Serving, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A late page is a 503 and a counted fault."""
        monkeypatch.setattr(endpoints, "PAGE_TIMEOUT", 0.05)
        release = threading.Event()
        monkeypatch.setattr(web.captured.telemetry.tracker, "statuses", lambda: release.wait(20))
        with serving(web.app) as client:
            response = client.get("/slo")
            release.set()

        assert 503 == response.status_code
        assert ("/slo", "TimeoutError") in {
            cell.labels for cell in web.captured.telemetry.faults.family.cells()
        }

    def test_last_export_does_not_wait_for_threads_of_application(
        self,
        captured_telemetry: CapturedTelemetry,
        serving: Serving,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The export at the end of the lifespan does not wait for the default executor."""
        drained = threading.Event()

        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            yield
            loop = asyncio.get_running_loop()
            loop.set_default_executor(ThreadPoolExecutor(1))
            blocked.append(loop.run_in_executor(None, drained.wait, 5))

        blocked: list[asyncio.Future[bool]] = []
        app = FastAPI(lifespan=lifespan)
        instrument_fastapi(app, captured_telemetry.telemetry)
        monkeypatch.setattr(captured_telemetry.telemetry, "drain", drained.set)
        with serving(app):
            pass

        assert blocked[0].result()

    def test_endpoints_work_on_trio(self, web: Web) -> None:
        """Endpoints work if the server runs on trio."""
        web.captured.bind(Atlas)

        async def get(path: str) -> int:
            transport = httpx.ASGITransport(app=web.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://maps") as client:
                return (await client.get(path)).status_code

        paths = ("/metrics", "/slo", "/healthz", "/readyz")

        assert [200] * 4 == [trio.run(get, path) for path in paths]


class TestEveryEndpoint:
    @pytest.mark.parametrize("path", ["/metrics", "/slo", "/healthz", "/readyz"])
    def test_endpoints_accept_get_and_head_with_same_headers(
        self, client: httpx.Client, path: str
    ) -> None:
        """Endpoints accept GET and HEAD with the same headers, and no other method."""
        got, head, posted = client.get(path), client.head(path), client.post(path)

        assert (200, 200, 405) == (got.status_code, head.status_code, posted.status_code)
        assert "GET, HEAD" == posted.headers["allow"]
        assert b"" == head.content
        assert got.headers["content-type"] == head.headers["content-type"]
        assert "no-store" == got.headers["cache-control"]

    def test_endpoints_are_neither_counted_nor_traced(self, web: Web, serving: Serving) -> None:
        """Endpoints are neither counted nor traced; only their errors are in the access log."""
        with serving(web.app) as client:
            for path in ("/metrics", "/slo", "/healthz", "/readyz"):
                client.get(path)
            client.post("/slo")

        assert ([], ()) == (web.samples(), web.captured.spans())
        assert [("/slo", 405)] == [
            (line["url_path"], line["http_response_status_code"])
            for line in web.captured.logs()
            if line["logger"] == "uvicorn.access"
        ]

    def test_endpoints_work_under_prefix(self, web: Web, serving: Serving) -> None:
        """Endpoints work under a prefix."""
        with serving(web.app, root_path="/api") as client:
            assert 200 == client.get("/metrics").status_code

    def test_endpoints_under_prefix_are_not_in_access_log(self, web: Web, serving: Serving) -> None:
        """Endpoints under a prefix are not in the access log."""
        with serving(web.app, root_path="/api") as client:
            client.get("/metrics")

        assert [] == [line for line in web.captured.logs() if line["logger"] == "uvicorn.access"]

    @pytest.mark.parametrize(
        "path", ["/metrics/", "/metrics/x", "/a/metrics", "/METRICS", "/healthz2"]
    )
    def test_other_paths_belong_to_application_and_are_counted(
        self, web: Web, serving: Serving, path: str
    ) -> None:
        """Other paths belong to the application, and are counted."""
        with serving(web.app) as client:
            client.get(path)

        assert 1 == len(web.samples())


class TestPaths:
    def test_endpoints_can_have_other_paths_or_be_disabled(
        self, captured_telemetry: CapturedTelemetry, serving: Serving
    ) -> None:
        """Endpoints can have other paths, or be disabled."""
        app = FastAPI()
        paths = Paths(metrics="/internal/metrics", slo=None)
        instrument_fastapi(app, captured_telemetry.telemetry, paths=paths)
        with serving(app) as client:
            requested = ("/internal/metrics", "/metrics", "/slo", "/healthz")

            assert [200, 404, 404, 200] == [client.get(path).status_code for path in requested]

    @pytest.mark.parametrize("path", ["metrics", "/metrics/", "/", "", "/a b", "/a?b", 8080])
    def test_path_that_no_request_has_is_refused(self, path: Any) -> None:
        """A path that no request has, or only with a slash at its end, is refused."""
        with pytest.raises(ConfigurationError, match="at the end, such as '/otel-metrics'"):
            Paths(metrics=path)

    def test_path_of_two_endpoints_is_refused(self) -> None:
        """A path of two endpoints is refused."""
        with pytest.raises(ConfigurationError, match="another endpoint has this path"):
            Paths(live="/health", ready="/health")

    @pytest.mark.parametrize("way", OWN_ROUTES)
    @pytest.mark.parametrize("path", ["/metrics", "/slo", "/healthz"])
    def test_own_route_keeps_path_and_missing_series_are_named(
        self, web: Web, serving: Serving, way: str, path: str
    ) -> None:
        """A route at the path of an endpoint replaces it; for /metrics and /slo, one line warns."""
        OWN_ROUTES[way](web.app, path)
        with serving(web.app) as client:
            texts = [client.get(path, follow_redirects=True).text for _ in range(2)]
        warnings = _events(web.captured, "the application has")

        assert ["its own"] * 2 == texts
        assert (path != "/healthz") == (len(warnings) == 1)
        assert all(f"a route of its own at {path}" in each for each in warnings)
        assert all("paths=Paths(" in each for each in warnings)

    def test_route_that_is_added_while_application_starts_keeps_path(
        self, captured_telemetry: CapturedTelemetry, serving: Serving
    ) -> None:
        """A route that is added during the start of the application keeps its path."""

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            _own_route(app, "/metrics")
            yield

        app = FastAPI(lifespan=lifespan)
        instrument_fastapi(app, captured_telemetry.telemetry)
        with serving(app) as client:
            warned = [
                each["event"] for each in captured_telemetry.logs() if "Paths(" in each["event"]
            ]

            assert "its own" == client.get("/metrics").text
        assert 1 == len(warned)

    @pytest.mark.parametrize("included", [False, True])
    def test_route_at_path_of_endpoint_replaces_it_and_is_counted(
        self, web: Web, serving: Serving, included: bool
    ) -> None:
        """A route at the path of an endpoint replaces it, and is counted."""
        router = APIRouter()
        router.get("/healthz")(lambda: "its own")
        if included:
            web.app.include_router(router)
        else:
            web.app.get("/healthz")(lambda: "its own")
        with serving(web.app) as client:
            assert "its own" == client.get("/healthz").json()

        assert [("GET", "/healthz", "200", "")] == web.samples()

    def test_route_at_path_of_endpoint_is_traced(self, web: Web, serving: Serving) -> None:
        """A route at the path of an endpoint is traced."""
        web.app.get("/healthz")(lambda: "its own")
        with serving(web.app) as client:
            client.get("/healthz")

        assert ["GET /healthz"] == [span.name for span in web.captured.spans()]

    def test_route_of_another_method_at_path_of_endpoint_replaces_it(
        self, web: Web, serving: Serving
    ) -> None:
        """A route of another method at the path of an endpoint replaces it."""
        web.app.post("/metrics")(lambda: "taken")
        with serving(web.app) as client:
            assert (200, '"taken"') == (
                client.post("/metrics").status_code,
                client.post("/metrics").text,
            )

    @pytest.mark.parametrize("included", [False, True])
    def test_catch_all_route_does_not_replace_endpoints(
        self, web: Web, serving: Serving, included: bool
    ) -> None:
        """A catch-all route does not replace endpoints."""
        router = APIRouter()
        router.get("/{path:path}")(lambda path: path)
        web.app.router.routes.extend(() if included else router.routes)
        if included:
            web.app.include_router(router)
        with serving(web.app) as client:
            assert "otel_meta_up" in client.get("/metrics").text
            assert "other" == client.get("/other").json()

    def test_application_mounted_at_root_does_not_replace_endpoints(
        self, web: Web, serving: Serving
    ) -> None:
        """An application mounted at the root does not replace endpoints."""
        sub = FastAPI()
        sub.get("/other")(lambda: "other")
        web.app.mount("/", sub)
        with serving(web.app) as client:
            assert "otel_meta_up" in client.get("/metrics").text
            assert "other" == client.get("/other").json()

"""The pages on a port of their own, which a load balancer need not reach."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import FastAPI

from otel_meta import Counter, MetaRepo, NoLabels, Slo, instrument_fastapi
from otel_meta.testing import CapturedTelemetry, capture

if TYPE_CHECKING:
    from tests.conftest import Serving

PAGES = ("/metrics", "/slo")
PORT_ONLY = {"OTEL_META_METRICS_IN_APP": "false"}


class Maps(MetaRepo, name="maps", owner="us"):
    """Map tiles."""

    tiles = Counter("maps.tiles", "Tiles.", NoLabels)
    holes = Counter("maps.holes", "Tiles that are missing.", NoLabels)
    completeness = Slo(
        "maps-completeness",
        objective="99%",
        period="30d",
        sli=tiles.ratio(bad=holes),
        why="A map with holes misleads.",
    )


@contextmanager
def on_port(
    token: str | None = None, environ: dict[str, str] | None = None
) -> Generator[tuple[httpx.Client, CapturedTelemetry]]:
    """Yield a client of the separate port, and the telemetry."""
    with (
        capture(
            "maps",
            Maps,
            prometheus_port=0,
            prometheus_host="127.0.0.1",
            prometheus_token=token,
            environ=environ or {},
        ) as captured,
        httpx.Client(base_url=f"http://127.0.0.1:{captured.telemetry.port}") as client,
    ):
        yield client, captured


class TestPort:
    def test_port_serves_page_of_slos(self) -> None:
        """The port serves the page of SLOs, as the application does."""
        with on_port() as (client, captured):
            captured.bind(Maps).tiles.add(1)
            response = client.get("/slo")

        assert (200, "application/json") == (response.status_code, response.headers["content-type"])
        assert ["maps-completeness"] == [slo["name"] for slo in response.json()["slos"]]
        assert "maps" == response.json()["service_name"]

    @pytest.mark.parametrize("page", PAGES)
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_token_protects_pages_of_port(self, page: str, method: str) -> None:
        """A token protects each page of the port, for each method."""
        with on_port("s3cret") as (client, _):
            answers = [
                client.request(method, page, headers={"authorization": each})
                for each in ("", "Bearer s3cre", "Basic s3cret", "Bearer s3cret")
            ]

        assert [401, 401, 401, 200] == [answer.status_code for answer in answers]
        assert ["Bearer"] * 3 == [answer.headers["www-authenticate"] for answer in answers[:3]]
        assert "maps" not in "".join(answer.text for answer in answers[:3])

    @pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics/", "/SLO"])
    def test_port_serves_no_other_path(self, path: str) -> None:
        """The port serves no other path: health is that of the application's own loop."""
        with on_port() as (client, _):
            response = client.get(path)

        assert (404, "this port serves /metrics and /slo\n") == (
            response.status_code,
            response.text,
        )


class TestForms:
    def test_browser_gets_page_and_program_gets_json(self, serving: Serving) -> None:
        """Both servers respond with HTML to a browser, and with JSON to a program."""
        for response in asked_by_both(serving, {"accept": "text/html"}):
            assert "text/html; charset=utf-8" == response.headers["content-type"]
            assert "default-src 'none'" in response.headers["content-security-policy"]
            assert "<h1>SLOs of maps</h1>" in response.text
            assert "maps_tiles_total" in response.text
        for response in asked_by_both(serving, {"accept": "*/*"}):
            assert "application/json" == response.headers["content-type"]
            assert "accept" == response.headers["vary"]

    def test_query_wins_over_accept_header(self, serving: Serving) -> None:
        """The query chooses the form, and an unknown form is refused."""
        page, refused = (
            [answer.headers["content-type"] for answer in asked_by_both(serving, {}, query)]
            for query in ("?format=html", "?format=xml")
        )

        assert ["text/html; charset=utf-8"] * 2 == page
        assert ["text/plain; charset=utf-8"] * 2 == refused

    def test_head_of_page_has_headers_alone(self, serving: Serving) -> None:
        """HEAD of the page has the headers alone."""
        for response in asked_by_both(serving, {"accept": "text/html"}, method="HEAD"):
            assert ("", True) == (response.text, int(response.headers["content-length"]) > 1000)

    def test_rows_have_service_and_links(self, serving: Serving) -> None:
        """Each SLO has the labels of its service, and links where there are bases."""
        environ = {
            "OTEL_META_RUNBOOKS_URL": "https://books.example",
            "OTEL_META_TRACES_URL": "https://traces.example/{service}",
        }
        for response in asked_by_both(serving, {}, environ=environ):
            (slo,) = response.json()["slos"]

            assert {"service_name": "maps", "service_namespace": "maps"} == slo["service"]
            assert {
                "runbook": "https://books.example/maps.md#maps-completeness",
                "traces": "https://traces.example/maps",
            } == slo["links"]

    def test_page_without_slos_says_how_to_have_some(self) -> None:
        """The page without SLOs says how to have some."""
        with (
            capture("maps", prometheus_port=0, prometheus_host="127.0.0.1") as captured,
            httpx.Client(base_url=f"http://127.0.0.1:{captured.telemetry.port}") as client,
        ):
            page = client.get("/slo?format=html").text

        assert "No SLO is tracked: give configure() a meta-repository" in page


class TestApplication:
    def test_with_port_application_serves_pages_too(self, serving: Serving) -> None:
        """With a port, the application serves the pages too, unless a variable says otherwise."""
        assert {200} == {status for status, _ in served(serving, {})}

    def test_variable_leaves_pages_to_port(self, serving: Serving) -> None:
        """A variable leaves the pages to the port; the application answers 404."""
        assert {(404, 200)} == set(served(serving, PORT_ONLY))

    def test_without_port_variable_has_no_effect(self, serving: Serving) -> None:
        """Without a port the variable has no effect: nobody would serve the pages."""
        with capture("maps", Maps, environ=PORT_ONLY) as captured:
            app = FastAPI()
            instrument_fastapi(app, captured.telemetry)
            with serving(app) as client:
                assert [200, 200] == [client.get(page).status_code for page in PAGES]


def asked_by_both(
    serving: Serving,
    headers: dict[str, str],
    query: str = "",
    *,
    method: str = "GET",
    environ: dict[str, str] | None = None,
) -> list[httpx.Response]:
    """Return the responses of the application and of the port."""
    with on_port(environ=environ) as (client, captured):
        captured.bind(Maps).tiles.add(1)
        app = FastAPI()
        instrument_fastapi(app, captured.telemetry)
        with serving(app) as in_app:
            return [
                each.request(method, f"/slo{query}", headers=headers) for each in (in_app, client)
            ]


def served(serving: Serving, environ: dict[str, str]) -> list[tuple[int, int]]:
    """Return the status of each page in the application and on the port."""
    with on_port(environ=environ) as (client, captured):
        app = FastAPI()
        instrument_fastapi(app, captured.telemetry)
        with serving(app) as in_app:
            return [(in_app.get(page).status_code, client.get(page).status_code) for page in PAGES]

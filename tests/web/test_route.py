from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.applications import Starlette
from starlette.routing import Route

from otel_meta import instrument_fastapi
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION
from otel_meta.testing import CapturedTelemetry
from otel_meta.web.route import route_template

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Serving


RequestPath = Callable[..., tuple[int, set[str]]]


class Template:
    """A route, or another object in its place."""

    def __init__(self, **attributes: object) -> None:
        vars(self).update(attributes)


class TestTemplate:
    @pytest.mark.parametrize(
        ("scope", "template"),
        [
            ({}, ""),
            ({"route": Template(path_format="/items/{id}")}, "/items/{id}"),
            ({"route": Template(path="/items/{id:int}")}, "/items/{id:int}"),
            ({"route": Template(path_format="/a"), "root_path": "/api/"}, "/api/a"),
            ({"route": Template()}, ""),
            ({"route": Template(path=7)}, ""),
            ({"route": None, "root_path": "/api"}, ""),
            (
                {
                    "route": Template(path_format="/a"),
                    "fastapi": {"effective_route_context": Template(path_format="/v1/a")},
                },
                "/v1/a",
            ),
            ({"route": Template(path_format="/a"), "fastapi": {}}, "/a"),
            ({"route": Template(path_format="/a"), "fastapi": None}, "/a"),
        ],
    )
    def test_template_is_read_from_scope_and_prefix_is_added(
        self, scope: dict[str, Any], template: str
    ) -> None:
        """The template is read from the scope, and the prefix is added."""
        assert template == route_template(scope)

    @pytest.mark.parametrize("odd", [object(), [], "text", Template(get=None)])
    def test_unknown_data_of_fastapi_in_scope_is_ignored(self, odd: Any) -> None:
        """Unknown data of FastAPI in the scope is ignored."""
        scope = {"route": Template(path_format="/a"), "fastapi": odd}

        assert "/a" == route_template(scope)


@pytest.fixture
def app(captured_telemetry: CapturedTelemetry, tmp_path: Path) -> FastAPI:
    """An application with all kinds of routes."""
    app = FastAPI()
    instrument_fastapi(app, captured_telemetry.telemetry)

    async def item(name: str) -> str:
        return name

    app.get("/items/{name}")(item)
    app.get("/files/{name:path}")(item)
    app.get("/shelves/{name}/")(item)
    inner = APIRouter(prefix="/inner")
    inner.get("/{name}")(item)
    outer = APIRouter()
    outer.include_router(inner, prefix="/outer")
    app.include_router(outer, prefix="/v1")
    app.include_router(outer, prefix="/v2")
    sub = FastAPI()
    sub.get("/items/{name}")(item)
    app.mount("/sub", sub)
    app.mount("/tenants/{tenant}", sub)
    app.mount("/spaces/{space:int}", sub)
    app.mount("/keys/{key:uuid}", sub)
    tmp_path.joinpath("file-7.txt").write_text("a")
    app.mount("/static", StaticFiles(directory=tmp_path))
    app.mount(
        "/plain",
        Starlette(routes=[Route("/items/{name}", lambda _: PlainTextResponse("a"))]),
    )
    return app


@pytest.fixture
def request_path(
    captured_telemetry: CapturedTelemetry, app: FastAPI, serving: Serving
) -> RequestPath:
    """Function that requests a path; it returns the status and the recorded routes."""

    def request(path: str, method: str = "GET", **options: Any) -> tuple[int, set[str]]:
        with serving(app, **options) as client:
            status = client.request(method, path, follow_redirects=False).status_code
        family = captured_telemetry.telemetry.storage.family(HTTP_SERVER_REQUEST_DURATION)
        return status, {cell.labels[2] for cell in family.cells()}

    return request


class TestServed:
    @pytest.mark.parametrize(
        ("path", "route"),
        [
            ("/items/7", "/items/{name}"),
            ("/items/7?a=b", "/items/{name}"),
            ("/items/%FF%00", "/items/{name}"),
            ("/files/a/b/c", "/files/{name}"),
            ("/v1/outer/inner/7", "/v1/outer/inner/{name}"),
            ("/v2/outer/inner/7", "/v2/outer/inner/{name}"),
            ("/sub/items/7", "/sub/items/{name}"),
            ("/plain/items/7", "/plain/items/{name}"),
            ("/sub/items/sub", "/sub/items/{name}"),
            ("/tenants/acme/items/acme", "/tenants/{tenant}/items/{name}"),
            ("/tenants/tenants/items/7", "/tenants/{tenant}/items/{name}"),
        ],
    )
    def test_route_label_is_template_with_all_prefixes(
        self, request_path: RequestPath, path: str, route: str
    ) -> None:
        """The route label is the template with all prefixes."""
        assert (200, {route}) == request_path(path)

    @pytest.mark.parametrize("path", ["/nowhere/7", "/items", "/" + "7" * 5000, "/%FF"])
    def test_path_without_route_has_empty_route_label(
        self, request_path: RequestPath, path: str
    ) -> None:
        """A path without a route has an empty route label."""
        assert (404, {""}) == request_path(path)

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/tenants/acme-7/items/8", 200),
            ("/spaces/007/items/8", 200),
            ("/keys/77777777777777777777777777777777/items/8", 200),
            ("/sub/nowhere/7", 404),
            ("/tenants/acme-7/nowhere", 404),
            ("/static/file-7.txt", 200),
            ("/static/nowhere-7.txt", 404),
            ("/shelves/7", 307),
        ],
    )
    def test_raw_path_is_never_in_route_label(
        self, request_path: RequestPath, path: str, status: int
    ) -> None:
        """The raw path is never in the route label."""
        received, (route,) = request_path(path)

        assert status == received
        assert "7" not in route

    @pytest.mark.parametrize("path", ["/items/7", "/sub/items/7", "/v1/outer/inner/7"])
    def test_prefix_of_application_is_part_of_route_label(
        self, request_path: RequestPath, path: str
    ) -> None:
        """The prefix of the application is part of the route label."""
        template = "/api" + path.replace("7", "{name}")

        assert (200, {template}) == request_path(path, root_path="/api")

    def test_route_of_another_method_is_route_label(self, request_path: RequestPath) -> None:
        """A route of another method is the route label."""
        assert (405, {"/items/{name}"}) == request_path("/items/7", "POST")

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


Ask = Callable[..., tuple[int, set[str]]]


class Template:
    """A route, or what else an application puts in its place."""

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
    def test_scope(self, scope: dict[str, Any], template: str) -> None:
        """The template is what the router left in the scope, under the prefix."""
        assert template == route_template(scope)

    @pytest.mark.parametrize("odd", [object(), [], "text", Template(get=None)])
    def test_changed(self, odd: Any) -> None:
        """What FastAPI keeps for itself may change without any harm."""
        scope = {"route": Template(path_format="/a"), "fastapi": odd}

        assert "/a" == route_template(scope)


@pytest.fixture
def app(captured_telemetry: CapturedTelemetry, tmp_path: Path) -> FastAPI:
    """An application with routes of every sort."""
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
def ask(captured_telemetry: CapturedTelemetry, app: FastAPI, serving: Serving) -> Ask:
    """Ask for a path; the status, and the values of ``http_route`` that were counted under."""

    def ask(path: str, method: str = "GET", **options: Any) -> tuple[int, set[str]]:
        with serving(app, **options) as client:
            status = client.request(method, path, follow_redirects=False).status_code
        family = captured_telemetry.telemetry.storage.family(HTTP_SERVER_REQUEST_DURATION)
        return status, {cell.labels[2] for cell in family.cells()}

    return ask


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
    def test_template(self, ask: Ask, path: str, route: str) -> None:
        """A request is counted under its route's template, with every prefix."""
        assert (200, {route}) == ask(path)

    @pytest.mark.parametrize("path", ["/nowhere/7", "/items", "/" + "7" * 5000, "/%FF"])
    def test_nowhere(self, ask: Ask, path: str) -> None:
        """What no route takes is counted under none."""
        assert (404, {""}) == ask(path)

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
    def test_never_raw(self, ask: Ask, path: str, status: int) -> None:
        """Whatever answers, the path that was asked for is not what is counted under."""
        answered, (route,) = ask(path)

        assert status == answered
        assert "7" not in route

    @pytest.mark.parametrize("path", ["/items/7", "/sub/items/7", "/v1/outer/inner/7"])
    def test_root_path(self, ask: Ask, path: str) -> None:
        """Served under a prefix, the prefix is part of the template."""
        template = "/api" + path.replace("7", "{name}")

        assert (200, {template}) == ask(path, root_path="/api")

    def test_wrong_method(self, ask: Ask) -> None:
        """A route that does not take the method is the route all the same."""
        assert (405, {"/items/{name}"}) == ask("/items/7", "POST")

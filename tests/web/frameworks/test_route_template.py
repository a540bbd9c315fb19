from __future__ import annotations

import functools
import tempfile
from timeit import repeat
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles

from otel_meta.web.frameworks import route_template
from otel_meta.web.frameworks.route_index import index_of
from tests.web.frameworks.routing import Answer, request, scope_of

A_HOST = [(b"host", b"t7.example.com")]


async def api() -> str:
    """Answer as a route of FastAPI does."""
    return "served"


async def page(_request: Request) -> PlainTextResponse:
    """Answer as a route of Starlette does."""
    return PlainTextResponse("served")


async def plain(_scope: Any, _receive: Any, send: Any) -> None:
    """Answer as an application of no framework does."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"served"})


def shop() -> FastAPI:
    """Return an application with a few routes, which others mount."""
    app = FastAPI()
    app.get("/items/{name}")(api)
    app.get("/shelves/{name}/")(api)
    app.add_route("/pages/{name}", page)
    app.get("/{user_id}")(api)
    return app


def department() -> APIRouter:
    """Return a router with all kinds of routes, included twice over."""
    inner = APIRouter(prefix="/inner")
    inner.get("")(api)
    inner.get("/{name}")(api)
    inner.add_route("/pages/{name}", page)
    inner.mount("/shops/{owner}", shop())
    outer = APIRouter()
    outer.include_router(inner, prefix="/outer")
    return outer


def wares() -> Starlette:
    """Return an application of Starlette with mounts and hosts."""
    host = Starlette(routes=[Route("/h/{name}", page), Mount("/shops/{owner}", app=shop())])
    return Starlette(
        routes=[
            Mount("/m/{a}", routes=[Route("/r/{b}", page), Mount("/n/{c}", app=shop())]),
            Host("{name}.example.com", app=host),
        ]
    )


@functools.cache
def application() -> FastAPI:
    """Return an application with all kinds of routes."""
    app = FastAPI()
    app.get("/items/{name}", dependencies=[Depends(lambda: 1)])(api)
    app.get("/files/{name:path}")(api)
    app.get("/shelves/{name}/")(api)
    app.get("/left/{name}")(api)
    app.add_route("/pages/{name}", page)
    app.add_route("/other-pages/{name}", page)
    app.router.routes.append(Route("/more-pages/{name:int}", page))
    app.include_router(department(), prefix="/v1")
    app.include_router(department(), prefix="/v2/{version}")
    sub = shop()
    app.mount("/sub", sub)
    app.mount("/tenants/{tenant}", sub)
    app.mount("/spaces/{space:int}", sub)
    app.mount("/users/{user}", sub)
    app.mount("/same/{name}", sub)
    app.mount("/deep/{rest:path}/end", sub)
    app.mount("/wrapped/{tenant}", CORSMiddleware(sub, allow_origins=["*"]))
    app.mount("/wares/{ware}", wares())
    app.mount("/plain/{tenant}", plain)
    app.mount("/router", Router(routes=[Route("/{name}", page)]))
    app.mount("/static", StaticFiles(directory=tempfile.gettempdir()))
    return app


class TestFastApi:
    @pytest.mark.parametrize(
        ("path", "template"),
        [
            ("/items/7", "/items/{name}"),
            ("/files/7/7/7", "/files/{name}"),
            ("/pages/7", "/pages/{name}"),
            ("/other-pages/7", "/other-pages/{name}"),
            ("/more-pages/007", "/more-pages/{name}"),
            ("/docs", "/docs"),
            ("/openapi.json", "/openapi.json"),
            ("/v1/outer/inner", "/v1/outer/inner"),
            ("/v1/outer/inner/7", "/v1/outer/inner/{name}"),
            ("/v2/7/outer/inner/7", "/v2/{version}/outer/inner/{name}"),
            ("/v2/7/outer/pages/7", "/v2/{version}/outer/pages/{name}"),
        ],
    )
    def test_template_has_all_prefixes(self, path: str, template: str) -> None:
        """The template of a route has the prefixes of all routers around the route."""
        assert Answer(200, template) == request(application(), path)

    def test_method_that_route_does_not_have_keeps_route(self) -> None:
        """A request with a method that the route does not have keeps the route."""
        assert Answer(405, "/items/{name}") == request(application(), "/items/7", "POST")
        assert Answer(405, "/pages/{name}") == request(application(), "/pages/7", "POST")

    @pytest.mark.parametrize("path", ["/7", "/items", "/" + "7" * 5000, "/v1/outer"])
    def test_path_without_route_has_no_template(self, path: str) -> None:
        """A path without a route has no template."""
        assert Answer(404, "") == request(application(), path)

    @pytest.mark.parametrize(
        ("path", "template"),
        [
            ("/shelves/7", "/shelves/{name}/"),
            ("/left/7/", "/left/{name}"),
            ("/v2/7/outer/inner/7/", "/v2/{version}/outer/inner/{name}"),
            ("/tenants/7/shelves/7", "/tenants/{tenant}/shelves/{name}/"),
            ("/sub", "/sub/{path}"),
        ],
    )
    def test_redirect_of_slash_has_template_of_its_target(self, path: str, template: str) -> None:
        """A redirect that adds or removes a slash has the template of its target."""
        assert Answer(307, template) == request(application(), path)

    def test_folder_of_files_has_one_template(self) -> None:
        """The files of a folder have one template, without their names."""
        inner = APIRouter()
        inner.frontend("/app", directory=tempfile.gettempdir())
        app = FastAPI()
        app.include_router(inner, prefix="/v1")
        app.frontend("/", directory=tempfile.gettempdir())
        outside = FastAPI()
        outside.mount("/tenants/{tenant}", app)

        assert "/v1/app/{path}" == request(app, "/v1/app/a7/b7").template
        assert "/{path}" == request(app, "/a7/b7").template
        assert "/tenants/{tenant}/v1/app/{path}" == request(outside, "/tenants/7/v1/app/7").template


class TestMounts:
    @pytest.mark.parametrize(
        ("path", "template"),
        [
            ("/sub/items/7", "/sub/items/{name}"),
            ("/sub/items/sub", "/sub/items/{name}"),
            ("/sub/docs", "/sub/docs"),
            ("/sub/pages/7", "/sub/pages/{name}"),
            ("/tenants/acme/items/acme", "/tenants/{tenant}/items/{name}"),
            ("/tenants/tenants/items/items", "/tenants/{tenant}/items/{name}"),
            ("/spaces/007/items/7", "/spaces/{space}/items/{name}"),
            ("/users/ann/7", "/users/{user}/{user_id}"),
            ("/same/ann/items/bob", "/same/{name}/items/{name}"),
            ("/deep/7/7/end/items/7", "/deep/{rest}/end/items/{name}"),
            ("/wrapped/7/items/7", "/wrapped/{tenant}/items/{name}"),
            ("/wares/7/m/7/r/7", "/wares/{ware}/m/{a}/r/{b}"),
            ("/wares/7/m/7/n/7/items/7", "/wares/{ware}/m/{a}/n/{c}/items/{name}"),
            ("/wares/7/m/7/n/7/pages/7", "/wares/{ware}/m/{a}/n/{c}/pages/{name}"),
            ("/v2/7/outer/shops/7/items/7", "/v2/{version}/outer/shops/{owner}/items/{name}"),
            ("/v2/7/outer/shops/7/pages/7", "/v2/{version}/outer/shops/{owner}/pages/{name}"),
            ("/router/7", "/router/{name}"),
        ],
    )
    def test_template_has_parameters_of_mounts_in_place_of_values(
        self, path: str, template: str
    ) -> None:
        """The template has the parameters of the mounts in place of their values."""
        assert Answer(200, template) == request(application(), path)

    @pytest.mark.parametrize(
        ("path", "status", "template"),
        [
            ("/sub/a7/b7", 404, "/sub/{path}"),
            ("/tenants/7/a7/b7", 404, "/tenants/{tenant}/{path}"),
            ("/wares/7/m/7/a7/b7", 404, "/wares/{ware}/m/{a}/{path}"),
            ("/v2/7/outer/shops/7/a7/b7", 404, "/v2/{version}/outer/shops/{owner}/{path}"),
            ("/plain/7/a7", 200, "/plain/{tenant}/{path}"),
            ("/static/file-7.txt", 404, "/static/{path}"),
        ],
    )
    def test_path_in_mount_without_route_has_template_of_mount(
        self, path: str, status: int, template: str
    ) -> None:
        """A path in a mount that no route describes has the template of the mount."""
        assert Answer(status, template) == request(application(), path)

    @pytest.mark.parametrize(
        ("path", "template"),
        [
            ("/wares/7/h/7", "/wares/{ware}/h/{name}"),
            ("/wares/7/shops/7/items/7", "/wares/{ware}/shops/{owner}/items/{name}"),
            ("/wares/7/shops/7/pages/7", "/wares/{ware}/shops/{owner}/pages/{name}"),
            ("/wares/7/shops/7/a7/b7", "/wares/{ware}/shops/{owner}/{path}"),
        ],
    )
    def test_name_of_host_is_not_in_template(self, path: str, template: str) -> None:
        """The name of a host is not in the template."""
        assert template == request(application(), path, headers=A_HOST).template

    def test_prefix_that_is_kept_belongs_to_its_host(self) -> None:
        """The prefix that is kept for a mount without parameters belongs to one host."""
        app = Starlette(
            routes=[
                Host("a.example.com", Starlette(routes=[Mount("/sub", shop())])),
                Mount("/{tenant}", shop()),
            ]
        )

        assert ["/sub/items/{name}", "/{tenant}/items/{name}"] == [
            request(app, "/sub/items/7", headers=[(b"host", host)]).template
            for host in (b"a.example.com", b"b.example.com")
        ]

    def test_prefixes_with_values_are_not_kept(self) -> None:
        """Only prefixes without values are kept, so that memory is bounded."""
        app = FastAPI()
        app.mount("/sub", shop())
        app.mount("/{tenant}", shop())
        for tenant in ("sub", "a7", "b7"):
            request(app, f"/{tenant}/items/7")

        assert {("", "/sub"): "/sub"} == index_of(app.router).prefixes

    def test_mount_that_is_added_later_is_found(self) -> None:
        """A mount that is added while the application serves is found."""
        app = FastAPI()
        app.mount("/a/{tenant}", shop())
        request(app, "/a/7/items/7")
        app.mount("/b/{tenant}", shop())

        assert "/b/{tenant}/items/{name}" == request(app, "/b/7/items/7").template

    def test_mounted_application_with_path_of_its_own_has_template_of_mount(self) -> None:
        """A mounted application that overwrites its path has the template of its mount."""

        async def other(scope: Any, receive: Any, send: Any) -> None:
            scope["root_path"] = "/secret-7"
            await shop()(scope, receive, send)

        app = FastAPI()
        app.mount("/tenants/{tenant}", other)

        assert "/tenants/{tenant}/{path}" == request(app, "/tenants/7/secret-7/items/7").template

    def test_application_mounted_in_itself_has_an_end(self) -> None:
        """The template of an application that is mounted in itself has an end."""
        app = shop()
        app.mount("/again/{n}", app)
        template = request(app, "/again/7" * 40 + "/items/7").template

        assert template.endswith("/again/{n}/{path}")
        assert "7" not in template


class TestRootPath:
    @pytest.mark.parametrize(
        ("path", "template"),
        [
            ("/items/7", "/items/{name}"),
            ("/docs", "/docs"),
            ("/sub/items/7", "/sub/items/{name}"),
            ("/tenants/7/items/7", "/tenants/{tenant}/items/{name}"),
            ("/tenants/7/docs", "/tenants/{tenant}/docs"),
            ("/tenants/7/a7/b7", "/tenants/{tenant}/{path}"),
        ],
    )
    def test_path_of_application_is_part_of_template(self, path: str, template: str) -> None:
        """The path at which the server serves the application is part of the template."""
        answer = request(application(), f"/api{path}", root_path="/api")

        assert f"/api{template}" == answer.template

    def test_path_that_a_proxy_has_removed_is_part_of_template(self) -> None:
        """The path of the application is part of the template if a proxy has removed the path."""
        assert "/api/items/{name}" == request(application(), "/items/7", root_path="/api").template

    def test_slash_at_end_of_path_is_not_repeated(self) -> None:
        """A slash at the end of the application's path is not repeated."""
        assert "/api/items/{name}" == request(application(), "/items/7", root_path="/api/").template


class TestStarlette:
    @pytest.mark.parametrize(
        ("path", "template"),
        [("/m/7/r/7", "/m/{a}/r/{b}"), ("/m/7/n/7/items/7", "/m/{a}/n/{c}/items/{name}")],
    )
    def test_application_of_starlette_needs_no_fastapi(self, path: str, template: str) -> None:
        """Routes of an application of Starlette have their templates."""
        assert Answer(200, template) == request(wares(), path)

    def test_router_that_leaves_no_route_is_searched_for_endpoint(self) -> None:
        """If a router leaves only the endpoint, as before Starlette 1, the route is found by it."""
        app = Starlette(routes=[Route("/a/{name}", page), Route("/b/{name}", page)])
        scope = scope_of(app, "/b/7")
        del scope["route"]

        assert "/b/{name}" == route_template(scope)


class TestWebSockets:
    @pytest.mark.parametrize(
        ("path", "template"),
        [
            ("/chat/7", "/chat/{room}"),
            ("/v1/chat/7", "/v1/chat/{room}"),
            ("/plain/7", "/plain/{room}"),
            ("/tenants/7/plain/7", "/tenants/{tenant}/plain/{room}"),
            ("/7/7", ""),
        ],
    )
    def test_websocket_has_template_of_its_route(self, path: str, template: str) -> None:
        """A WebSocket has the template of its route."""

        async def chat(socket: WebSocket) -> None:
            await socket.close()

        router = APIRouter()
        router.websocket("/chat/{room}")(chat)
        app = FastAPI()
        app.include_router(router)
        app.include_router(router, prefix="/v1")
        app.router.routes.append(WebSocketRoute("/plain/{room}", chat))
        app.mount("/tenants/{tenant}", Starlette(routes=[WebSocketRoute("/plain/{room}", chat)]))

        assert template == request(app, path, type="websocket").template


class TestScope:
    @pytest.mark.parametrize(
        "scope",
        [
            {},
            {"route": None, "root_path": "/api"},
            {"route": object(), "endpoint": api},
            {"fastapi": [], "endpoint": api},
            {"fastapi": {}, "endpoint": api, "router": object()},
            {"fastapi": {"effective_route_context": object()}, "endpoint": api},
            {"fastapi": {"frontend_path": "b7"}, "path": "/a7"},
            {"fastapi": {"frontend_path": "b7", "frontend_specificity": 3}, "path": "/a7"},
        ],
    )
    def test_unknown_contents_of_scope_are_no_template(self, scope: dict[str, Any]) -> None:
        """Contents of the scope that no known router leaves there are not a template."""
        assert route_template(scope) in {"", "/{path}"}


def test_time_does_not_grow_with_number_of_routes() -> None:
    """The time for a template does not grow with the number of routes."""

    def seconds(routes: int) -> float:
        app = shop()
        app.mount("/sub", shop())
        for number in range(routes):
            app.get(f"/{number}/a/{{name}}")(api)
        scopes = [scope_of(app, path) for path in ("/items/7", "/sub/items/7", "/pages/7", "/7/7")]
        return min(repeat(lambda: [route_template(s) for s in scopes], number=200, repeat=7))

    assert seconds(400) < 3 * seconds(0)

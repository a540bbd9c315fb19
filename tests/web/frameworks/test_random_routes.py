"""Random trees of routers, mounts and hosts, and requests whose values are marked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router

from tests.web.frameworks.routing import request

CANARY = "77"
"""Part of every value of a path or host, also after conversion, and of no declared path."""
NAMES = ("user", "user_id", "name")
VALUES = {
    "": ["77", "a77", "items77", "{user}77"],
    ":int": ["77", "0077", "7700"],
    ":path": ["77", "a/77", "77/items"],
}
HOSTS = ("{user}.example.com", "{host}.example.com", "a77.example.com")

Framework = Literal["fastapi", "starlette", "router"]


@dataclass(frozen=True)
class Node:
    """A route, or an application or router with nodes below it."""

    kind: Literal["api", "page", "mount", "include", "host", "plain"]
    path: str = ""
    below: tuple[Node, ...] = ()
    framework: Framework = "fastapi"


def _paths(*names: str) -> st.SearchStrategy[str]:
    """Make paths in which no parameter is twice, because Starlette refuses these."""
    literals = st.sampled_from(["a", "items"])
    parameters = st.builds("{{{}{}}}".format, st.sampled_from(names), st.sampled_from([*VALUES]))
    return st.builds(
        "/{}/{}".format, st.one_of(literals, parameters), st.one_of(literals, st.just("{last}"))
    )


ROUTES = st.builds(Node, st.sampled_from(["api", "page", "plain"]), _paths(*NAMES))
FRAMEWORKS = st.sampled_from(["fastapi", "starlette", "router"])


def _above(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    below = st.lists(nodes, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(
            Node, st.just("mount"), st.one_of(_paths(*NAMES), st.just("")), below, FRAMEWORKS
        ),
        st.builds(Node, st.just("include"), _paths("version"), below),
        st.builds(Node, st.just("host"), st.sampled_from(HOSTS), below, FRAMEWORKS),
    )


TREES = st.lists(st.recursive(ROUTES, _above, max_leaves=10), min_size=1, max_size=4)


class Tree:
    """An application built of nodes, which notes the template of the route that it serves."""

    def __init__(self, nodes: list[Node], framework: Framework) -> None:
        self.paths: list[str] = []
        self.served: list[str] = []
        self.app = self._application(nodes, framework, "")

    def _application(self, nodes: Any, framework: Framework, prefix: str) -> Any:
        if framework == "fastapi":
            app = FastAPI(openapi_url=None)
            self._fill(app.router, nodes, prefix, depth=0)
            return app
        routes = [self._route(node, prefix) for node in nodes if node.kind != "include"]
        return Starlette(routes=routes) if framework == "starlette" else Router(routes=routes)

    def _fill(self, router: APIRouter, nodes: Any, prefix: str, depth: int) -> None:
        for node in nodes:
            if node.kind == "api":
                router.get(node.path)(self._handler(prefix + node.path))
            elif node.kind == "include":
                own = re.sub("(version|last)", rf"\g<1>{depth}", node.path)
                included = APIRouter()
                self._fill(included, node.below, prefix + own, depth + 1)
                router.include_router(included, prefix=own)
            else:
                router.routes.append(self._route(node, prefix))

    def _route(self, node: Node, prefix: str) -> Any:
        if node.kind == "host":
            return Host(node.path, self._application(node.below, node.framework, prefix))
        if node.kind == "mount":
            return Mount(
                node.path, self._application(node.below, node.framework, prefix + node.path)
            )
        if node.kind == "plain":
            return Mount(node.path, self._plain(f"{prefix}{node.path}/{{path}}"))
        handler = self._handler(prefix + node.path)
        return Route(node.path, lambda _request: handler())

    def _handler(self, path: str) -> Callable[[], PlainTextResponse]:
        self.paths.append(path)

        def handle() -> PlainTextResponse:
            self.served.append(re.sub(r":\w+}", "}", path))
            return PlainTextResponse("")

        return handle

    def _plain(self, path: str) -> Any:
        handle = self._handler(path)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await handle()(scope, receive, send)

        return app


@given(TREES, FRAMEWORKS, st.data())
def test_value_is_never_in_template_and_route_has_one_template(
    nodes: list[Node], framework: Framework, data: st.DataObject
) -> None:
    """No value of a path or host is in a template, and a route has its declared template."""
    tree = Tree(nodes, framework)
    declared = data.draw(st.sampled_from([*tree.paths, "/{unknown}/a"]))
    path = re.sub(
        r"{\w+?(:\w+)?}", lambda part: data.draw(st.sampled_from(VALUES[part[1] or ""])), declared
    )
    path += data.draw(st.sampled_from(["", "", "/", "/77"]))
    root_path = data.draw(st.sampled_from(["", "/api"]))
    host = data.draw(st.sampled_from(["a77.example.com", "77.example.com", "77"]))
    method = data.draw(st.sampled_from(["GET", "GET", "POST"]))

    template = request(
        tree.app, root_path + path, method, root_path=root_path, headers=[(b"host", host.encode())]
    ).template

    assert CANARY not in template
    assert not tree.served or root_path + tree.served[0] == template

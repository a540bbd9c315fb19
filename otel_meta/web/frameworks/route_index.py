"""The routes of a router by endpoint, and its ways into applications below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

_KEY: Final = "_otel_meta_route_index"
_WRAPPERS: Final = 16
"""Middleware around a mounted application, at most."""
REST: Final = "/{path}"
"""The end of a mount's template, as Starlette writes it."""


class Way:
    """A mount or a host: a route that leads to another application.

    Args:
        route: of Starlette.
    """

    def __init__(self, route: Any) -> None:
        self.route: Final = route
        self.is_mount: Final = not hasattr(route, "host")
        self.prefix: Final = template_of(route).removesuffix(REST) if self.is_mount else ""
        self.app: Final = route.app
        self.router: Final = router_of(route.app)


class RouteIndex:
    """The routes of a router, and of the routers included in it.

    Args:
        router: of Starlette or FastAPI.
    """

    def __init__(self, router: Any) -> None:
        self._routers: Final = list(_with_included(router))
        self._size: Final = self._count()
        self._by_endpoint: Final[dict[int, list[Any]]] = {}
        self._routes: Final = list(flat_routes(router.routes))
        self.ways: Final[list[Way]] = []
        self.prefixes: Final[dict[tuple[str, str], str]] = {}
        """Templates of mounts without parameters, by the paths before and after them."""
        for route in self._routes:
            endpoint = getattr(route, "endpoint", None)
            if endpoint is not None:
                self._by_endpoint.setdefault(id(endpoint), []).append(route)
            elif hasattr(route, "app"):
                self.ways.append(Way(route))

    @property
    def is_outdated(self) -> bool:
        """Whether routes were added or removed."""
        return self._size != self._count()

    def route(self, endpoint: object, scope: Mapping[str, Any]) -> Any:
        """Return the route of an endpoint; of several, the first that matches."""
        routes = self._by_endpoint.get(id(endpoint), ())
        if len(routes) > 1:
            return _first_match(routes, scope)
        return routes[0] if routes else None

    def any_route(self, scope: Mapping[str, Any]) -> Any:
        """Return the first route of all that matches."""
        return _first_match(self._routes, scope)

    def _count(self) -> int:
        return sum(len(router.routes) for router in self._routers)


def index_of(router: Any) -> RouteIndex:
    """Return the index of a router, which is made at the first call and when routes change.

    The router keeps the index: endpoints refer to their application, so any other place would keep
    the application alive.
    """
    kept = cast("dict[str, Any]", vars(router))
    index: RouteIndex | None = kept.get(_KEY)
    if index is None or index.is_outdated:
        index = RouteIndex(router)
        kept[_KEY] = index
    return index


def router_of(app: Any) -> Any:
    """Return the router of an application, which may be inside middleware; None if it has none."""
    for _ in range(_WRAPPERS):
        if hasattr(app, "routes") and hasattr(app, "__dict__"):
            return getattr(app, "router", app)
        app = getattr(app, "app", None)
    return None


def template_of(route: Any) -> str:
    """Return the template of one route, without converters where the framework knows it so."""
    template = getattr(route, "path_format", None) or getattr(route, "path", None)
    return template if isinstance(template, str) else ""


def flat_routes(routes: Iterable[Any]) -> Iterator[Any]:
    """Yield routes with the prefixes of included routers, which FastAPI keeps apart since 0.137."""
    for route in routes:
        contexts = getattr(route, "effective_route_contexts", None)
        if contexts is None:
            yield route
        else:
            yield from (context.starlette_route or context for context in contexts())


def _with_included(router: Any) -> Iterator[Any]:
    yield router
    for route in router.routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _with_included(included)


def _first_match(routes: Iterable[Any], scope: Mapping[str, Any]) -> Any:
    """Return the first route that matches, or the first that matches except for its method."""
    partial = None
    for route in routes:
        match = route.matches(scope)[0].name
        if match == "FULL":
            return route
        if match == "PARTIAL" and partial is None:
            partial = route
    return partial

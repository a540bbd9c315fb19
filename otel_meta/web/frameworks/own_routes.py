"""Search for routes of the application at the paths of endpoints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .route_index import flat_routes, router_of


def has_route(routes: Iterable[Any], path: str) -> bool:
    """Return True if the application serves exactly this path, or this path and a slash.

    Routes with parameters do not count: a catch-all route is not meant for an endpoint.

    Args:
        routes: routes of Starlette or FastAPI, also mounts.
        path: without a slash at the end.
    """
    every = list(flat_routes(routes))
    return any(_serves(route, each, "") for each in (path, f"{path}/") for route in every)


def _serves(route: Any, path: str, root_path: str) -> bool:
    scope: dict[str, object] = {
        "type": "http",
        "method": "GET",
        "path": path,
        "root_path": root_path,
        "headers": [],
    }
    match, found = route.matches(scope)
    if match.name == "NONE" or found.get("path_params"):
        return False
    if "root_path" not in found:
        return True
    mounted_at: str = found["root_path"]
    if mounted_at == path.rstrip("/"):
        return True
    router = router_of(route.app)
    inner = () if router is None else flat_routes(router.routes)
    return any(_serves(each, path, mounted_at) for each in inner)

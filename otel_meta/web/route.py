"""Which route answered: its template, never the raw path."""

from __future__ import annotations

from typing import Any, cast

from .asgi import Scope


def route_template(scope: Scope) -> str:
    """The template of the route that the router chose, under the prefix it is served at.

    Routers leave their choice in the scope. FastAPI from 0.137 keeps the prefixes of included
    routers apart from the route; where its context is not there, the route's own template serves.

    Returns:
        The template, or "" where no route matched.
    """
    context = _included(scope) or scope.get("route")
    template = getattr(context, "path_format", None) or getattr(context, "path", None)
    if not isinstance(template, str):
        return ""
    return f"{_prefix(scope, template)}{template}"


def _included(scope: Scope) -> Any:
    details = scope.get("fastapi")
    if not isinstance(details, dict):
        return None
    return cast("dict[str, Any]", details).get("effective_route_context")


def _prefix(scope: Scope, template: str) -> str:
    """Where the application is mounted, with the names of parameters in place of their values."""
    prefix: str = scope.get("root_path", "").rstrip("/")
    served_at: str = scope.get("app_root_path", prefix).rstrip("/")
    parameters: dict[str, Any] = scope.get("path_params", {})
    of_mounts = {n: str(v) for n, v in parameters.items() if f"{{{n}" not in template}
    return served_at + _named(prefix.removeprefix(served_at), of_mounts)


def _named(mounted: str, parameters: dict[str, str]) -> str:
    """A mount's path with its parameters named, from the end, where they mostly stand."""
    parts = mounted.split("/")
    left = dict(parameters)
    for at in range(len(parts) - 1, -1, -1):
        name = next((n for n, value in left.items() if value == parts[at]), None)
        if name is not None:
            parts[at] = f"{{{name}}}"
            del left[name]
    if left:  # converted on the way, 007 to 7: better the names alone than a value
        return "".join(f"/{{{name}}}" for name in parameters)
    return "/".join(parts)

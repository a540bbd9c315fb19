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
    return f"{_prefix(scope)}{template}"


def _included(scope: Scope) -> Any:
    details = scope.get("fastapi")
    if not isinstance(details, dict):
        return None
    return cast("dict[str, Any]", details).get("effective_route_context")


def _prefix(scope: Scope) -> str:
    """Where the application is mounted, with the names of parameters in place of their values."""
    prefix: str = scope.get("root_path", "").rstrip("/")
    served_at: str = scope.get("app_root_path", prefix).rstrip("/")
    parameters: dict[str, Any] = scope.get("path_params", {})
    names = {str(value): f"{{{name}}}" for name, value in parameters.items()}
    mounted = prefix.removeprefix(served_at).split("/")
    return served_at + "/".join(names.get(part, part) for part in mounted)

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
    return f"{scope.get('root_path', '').rstrip('/')}{template}"


def _included(scope: Scope) -> Any:
    details = scope.get("fastapi")
    return cast("dict[str, Any]", details).get("effective_route_context") if details else None

"""The template of the matched route; the raw path is never used."""

from __future__ import annotations

from typing import Any, cast

from .asgi import Scope


def route_template(scope: Scope) -> str:
    """Return the template of the matched route, with the prefix of the application.

    Routers store the match in the scope. Since 0.137 FastAPI keeps the prefixes of included routers
    in a context apart from the route; without this context, the route's own template is used.

    Returns:
        The template, or "" if no route matched.
    """
    context = _fastapi_context(scope) or scope.get("route")
    template = getattr(context, "path_format", None) or getattr(context, "path", None)
    if not isinstance(template, str):
        return ""
    return f"{_prefix(scope, template)}{template}"


def _fastapi_context(scope: Scope) -> Any:
    details = scope.get("fastapi")
    if not isinstance(details, dict):
        return None
    return cast("dict[str, Any]", details).get("effective_route_context")


def _prefix(scope: Scope, template: str) -> str:
    """Return the path of the mount, with parameter names instead of values."""
    prefix: str = scope.get("root_path", "").rstrip("/")
    served_at: str = scope.get("app_root_path", prefix).rstrip("/")
    parameters: dict[str, Any] = scope.get("path_params", {})
    mount_parameters = {n: str(v) for n, v in parameters.items() if f"{{{n}" not in template}
    return served_at + _with_names(prefix.removeprefix(served_at), mount_parameters)


def _with_names(path: str, parameters: dict[str, str]) -> str:
    """Replace values by parameter names, from the end of the path: parameters are mostly there."""
    parts = path.split("/")
    remaining = dict(parameters)
    for index in range(len(parts) - 1, -1, -1):
        name = next((n for n, value in remaining.items() if value == parts[index]), None)
        if name is not None:
            parts[index] = f"{{{name}}}"
            del remaining[name]
    if remaining:  # a converted value differs from the path, as 7 from 007: use names alone
        return "".join(f"/{{{name}}}" for name in parameters)
    return "/".join(parts)

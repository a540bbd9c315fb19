"""The template of the matched route, made of declared templates only.

Routers leave the endpoint of the last match in the scope, mostly the route too, and of mounts the
path that was taken, with values. The templates of the mounts are found by taking the same way
again: from the outermost router, through the mounts that match, until the path is as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from .route_index import REST, RouteIndex, Way, index_of, router_of, template_of

_DEPTH: Final = 32
"""Applications mounted in each other, at most."""
_REDIRECT: Final = 307
"""The status by which routers redirect to a path with or without a slash at its end."""
_PREFIXES: Final = 256
"""Prefixes without parameters that are kept, at most."""


def route_template(scope: Mapping[str, Any], status: int = 0) -> str:
    """Return the template of the matched route, with the prefix of the application.

    The end of a mounted application's path that no route describes is ``{path}``: in
    ``/static/{path}``, for example.

    Args:
        scope: of a request that the application has handled.
        status: of the response. A router that redirects to a path with or without a slash at its
            end leaves no route in the scope, so the target of the redirect is searched.

    Returns:
        The template, or "" if it is not known. A value of the path is never part of it.
    """
    endpoint = scope.get("endpoint")
    template = _matched(scope, endpoint)
    root_path: str = scope.get("root_path", "")
    served_at: str = scope.get("app_root_path", root_path)
    if template:
        prefix = _known_prefix(scope, served_at, root_path)
        if prefix is not None:
            return prefix + template
    elif endpoint is None and status != _REDIRECT:
        return ""
    return _Walk(scope, served_at, root_path).template(endpoint, template, status)


def _known_prefix(scope: Mapping[str, Any], served_at: str, root_path: str) -> str | None:
    """Return what stands before the template of a route, where no parameter can be in it."""
    if root_path == served_at:
        return served_at.rstrip("/")
    router = router_of(scope.get("router"))
    return None if router is None else index_of(router).prefixes.get((served_at, root_path))


def _matched(scope: Mapping[str, Any], endpoint: object) -> str:
    """Return the template of the last match, relative to the router that made it.

    The scope may still have the route of a mount outside: the endpoint is always of the last match.
    """
    details = scope.get("fastapi")
    if isinstance(details, dict):
        found = _of_fastapi(scope, cast("dict[str, Any]", details), endpoint)
        if found:
            return found
    return _if_of(scope.get("route"), endpoint)


def _of_fastapi(scope: Mapping[str, Any], details: Mapping[str, Any], endpoint: object) -> str:
    """Return the template as FastAPI since 0.137 leaves it, with prefixes of included routers."""
    if "frontend_path" in details:
        return _of_frontend(scope, details["frontend_path"], details.get("frontend_specificity"))
    context = details.get("effective_route_context")
    return _if_of(getattr(context, "starlette_route", None) or context, endpoint)


def _of_frontend(scope: Mapping[str, Any], file: object, length: object) -> str:
    """Return the template of a folder of files, whose declared path has no parameters.

    Args:
        scope: of the request.
        file: the end of the path, which FastAPI has read.
        length: of the declared path.
    """
    path: str = scope["path"]
    root_path: str = scope.get("root_path", "")
    if root_path and path.startswith(f"{root_path}/"):
        path = path.removeprefix(root_path)
    if isinstance(length, int) and path[length:].lstrip("/") == file:
        return path[:length] + REST
    return REST


def _if_of(route: Any, endpoint: object) -> str:
    return template_of(route) if getattr(route, "endpoint", None) is endpoint else ""


class _Walk:
    """The way from the outermost router to the one that served the request.

    Args:
        scope: of the request.
        served_at: path of the outermost router.
        root_path: path of the innermost router.
    """

    def __init__(self, scope: Mapping[str, Any], served_at: str, root_path: str) -> None:
        self._scope: Final[dict[str, Any]] = dict(scope)
        self._start: Final = served_at
        self._end: Final = root_path
        self._at = served_at
        self._outermost: Final = router_of(scope.get("router"))
        self._router: Any = self._outermost
        self._prefix = served_at.rstrip("/")
        self._mounted = False
        self._by_path = True

    def template(self, endpoint: object, matched: str, status: int) -> str:
        """Return the template of a route.

        Args:
            endpoint: of the last match.
            matched: template of the last match, if the scope has it.
            status: of the response.
        """
        for _ in range(_DEPTH):
            self._scope["root_path"] = self._at
            if self._router is None:
                break
            index = index_of(self._router)
            here = self._template_here(index, endpoint, matched)
            if here:
                self._remember()
                return self._prefix + here
            way = self._enter(index)
            if way is None or (self._is_end and way.app is endpoint and not matched):
                break
        return self._rest(status)

    @property
    def _is_end(self) -> bool:
        return self._at == self._end

    def _template_here(self, index: RouteIndex, endpoint: object, matched: str) -> str:
        if not self._is_end:
            return ""
        return matched or template_of(index.route(endpoint, self._scope))

    def _enter(self, index: RouteIndex) -> Way | None:
        """Go through the first mount or host that matches, as the router did."""
        for way in index.ways:
            match, found = way.route.matches(self._scope)
            if match.name == "FULL":
                self._at = found.get("root_path", self._at)
                self._prefix += way.prefix
                self._mounted |= way.is_mount
                self._by_path &= way.is_mount
                self._router = way.router
                return way
        return None

    def _remember(self) -> None:
        """Keep the prefix if its text has led here: other paths with this text lead here too."""
        if self._by_path and self._prefix == self._end:
            prefixes = index_of(self._outermost).prefixes
            if len(prefixes) < _PREFIXES:
                prefixes[self._start, self._end] = self._prefix

    def _rest(self, status: int) -> str:
        """Return the template where no route is known."""
        if status == _REDIRECT and self._is_end and self._router is not None:
            path = self._scope["path"]
            other = path.rstrip("/") if path.endswith("/") else f"{path}/"
            scope = {**self._scope, "path": other, "root_path": self._at}
            target = template_of(index_of(self._router).any_route(scope))
            if target:
                return self._prefix + target
        return self._prefix + REST if self._mounted else ""

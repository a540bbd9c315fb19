"""Recorders besides the engine: whatever else is installed, a request counts once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from otel_meta.runtime.recording.faults import logger
from otel_meta.web.asgi import Scope

from .builtin_telemetry import SCOPE_KEY, BuiltinTelemetry, is_recorded_by_fastapi
from .contrib_middleware import callers, chain, class_of, cut_out, is_contrib, restore, uninstrument
from .route_index import index_of, router_of

_REMOVED: Final = (
    "OpenTelemetry's instrumentation records the requests of this application too; otel_meta has "
    "removed it, so that each request has one server span and counts once. Remove its call, or "
    "choose it by instrument_fastapi(app, engine='contrib')"
)
_OUTSIDE: Final = (
    "OpenTelemetry's instrumentation stood around this application, and has recorded the first "
    "request; otel_meta records the others. Remove its call"
)
_MOUNTED: Final = (
    "the application around this one records its requests, so otel_meta records none of them here, "
    "and its SLOs have no data: call instrument_fastapi() for the outermost application"
)


class OtherRecorders:
    """Finds recorders of the requests of one application, and cuts them out until `restore`.

    Args:
        app: the application.
    """

    def __init__(self, app: Any) -> None:
        self._app: Final = app
        self._cut_out: Final[list[Any]] = []
        self._taken_out: Final[list[tuple[Any, list[Any]]]] = []
        self._telemetry: Final[list[BuiltinTelemetry]] = []
        self._said: Final[set[str]] = set()
        self._is_settled = False
        self._is_recorded_around = False

    def remove(self) -> None:
        """Remove what records the requests of the application so far."""
        telemetry = BuiltinTelemetry(self._app)
        if telemetry.is_on:
            telemetry.switch_off()
            self._telemetry.append(telemetry)
        if uninstrument(self._app):
            self._say(_REMOVED)

    def remove_from(self, stack: Any) -> None:
        """Cut out middleware of a stack."""
        for middleware in chain(stack):
            if is_contrib(class_of(middleware)):
                self._cut(middleware)
                self._say(_REMOVED)

    def remove_around(self) -> None:
        """Cut out what stands around the application and calls it now, before any request."""
        for middleware in callers():
            if is_contrib(class_of(middleware)):
                self._cut(middleware)
                self._say(_REMOVED)

    def have(self, scope: Scope, *, is_begun: bool = False) -> bool:
        """Return True if another recorder around this application has the request already.

        The first request cuts out what can be: around the application, and in mounted ones.

        Args:
            scope: of the request.
            is_begun: whether the chosen engine has begun the server span.
        """
        is_mounted = "router" in scope
        if not self._is_settled:
            self._is_settled = True
            self._remove_below()
            if self._is_recorded(is_mounted=is_mounted):
                return True
        if is_begun:
            scope.setdefault(SCOPE_KEY, None)
            return False
        if is_recorded_by_fastapi(scope) or (is_mounted and self._is_recorded_around):
            self._say(_MOUNTED)
            return True
        scope[SCOPE_KEY] = None  # for mounted applications of FastAPI
        return False

    def restore(self) -> None:
        """Let the others record again, except an instrumentation that was undone."""
        for each in self._cut_out:
            restore(each)
        for app, middleware in self._taken_out:
            app.user_middleware.extend(middleware)
            app.middleware_stack = None
        for telemetry in self._telemetry:
            telemetry.restore()

    def _remove_below(self) -> None:
        for app in _mounted(self._app):
            if uninstrument(app):
                self._say(_REMOVED)
            self.remove_from(app)
            self.remove_from(getattr(app, "middleware_stack", None))
            self._take_out(app)

    def _is_recorded(self, *, is_mounted: bool) -> bool:
        """Find out whether middleware around the application has begun the current request.

        An application that mounts this one keeps its middleware, because it has other routes too.
        """
        around = [middleware for middleware in callers() if is_contrib(class_of(middleware))]
        if not is_mounted:
            for middleware in around:
                self._cut(middleware)
                self._say(_OUTSIDE)
        self._is_recorded_around = is_mounted and bool(around)
        return bool(around) and not is_mounted

    def _cut(self, middleware: Any) -> None:
        cut_out(middleware)
        self._cut_out.append(middleware)

    def _take_out(self, app: Any) -> None:
        """Take middleware out of what a mounted application builds its stack from."""
        middleware: list[Any] = getattr(app, "user_middleware", [])
        contrib = [each for each in middleware if _is_class_of_contrib(next(iter(each)))]
        if contrib:
            self._taken_out.append((app, contrib))
            middleware[:] = [each for each in middleware if each not in contrib]
            self._say(_REMOVED)

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            logger.warning(text)


def _is_class_of_contrib(factory: object) -> bool:
    return isinstance(factory, type) and is_contrib(factory)


def _mounted(app: Any) -> Iterator[Any]:
    """Yield every application below an application, each once."""
    waiting, seen = [app], set[int]()
    while waiting:
        router = router_of(waiting.pop())
        if router is None or id(router) in seen:
            continue
        seen.add(id(router))
        for way in index_of(router).ways:
            yield from chain(way.app)
            waiting.append(way.app)

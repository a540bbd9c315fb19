"""The stack of middleware of one application, which Starlette builds at the first request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from otel_meta.web.asgi import App

_BUILD: Final = "build_middleware_stack"


class StackHook:
    """Puts middleware around the stack of an application, also around what is added later.

    Args:
        app: of Starlette or FastAPI.
        outermost: puts middleware around a stack.
        innermost: a middleware class, which stands next to the router.
    """

    def __init__(self, app: Any, outermost: Callable[[App], App], innermost: type) -> None:
        self._app: Final = app
        self._outermost: Final = outermost
        # As Starlette iterates over a middleware: class, positional and keyword arguments.
        self._innermost: Final[Any] = (innermost, (), {})
        self._own: Final = vars(app).get(_BUILD)
        """Of another instrumentation; mostly the method of the class is used."""
        self._build: Final[Callable[[], App]] = getattr(app, _BUILD)
        self._is_active = False

    def install(self) -> None:
        """Build the stack with the middleware from now on."""
        self._is_active = True
        vars(self._app)[_BUILD] = self

    def remove(self) -> None:
        """Let the application build its own stack, also while it serves.

        A request in progress keeps its stack. Another instrumentation may have taken over the
        function that builds the stack: then this one stays, and adds nothing.
        """
        self._is_active = False
        if vars(self._app).get(_BUILD) is self:
            del vars(self._app)[_BUILD]
            if self._own is not None:
                vars(self._app)[_BUILD] = self._own
        self._app.middleware_stack = None

    def __call__(self) -> App:
        """Build the stack."""
        if not self._is_active:
            return self._build()
        return self._outermost(self._with_innermost())

    def _with_innermost(self) -> App:
        """Build the stack; without middleware of the application, the outermost sees everything."""
        if not self._app.user_middleware:
            return self._build()
        self._app.user_middleware.append(self._innermost)
        try:
            return self._build()
        finally:
            self._app.user_middleware.remove(self._innermost)

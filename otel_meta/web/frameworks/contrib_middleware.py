"""Middleware of OpenTelemetry's instrumentations, which would record a request a second time.

The middleware may stand anywhere: in the application's stack, around a mounted application, or
around everything. Its instance gets a class whose only difference is that it passes requests on, so
the stack stays as it was built, and another application keeps its middleware.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import currentframe
from typing import Any, Final

from otel_meta.web.asgi import Receive, Scope, Send

_CLASSES: Final = frozenset(
    {
        ("opentelemetry.instrumentation.asgi", "OpenTelemetryMiddleware"),
        ("opentelemetry.instrumentation.fastapi", "ExceptionHandlerMiddleware"),
    }
)
_INSTRUMENTED: Final = "_is_instrumented_by_opentelemetry"
"""The attribute by which OpenTelemetry's instrumentations mark an application."""
_CUT_OUT: Final = "_otel_meta_original"
_DEPTH: Final = 64
"""Middleware around each other, at most."""


def chain(app: Any) -> Iterator[Any]:
    """Yield an application and what it wraps, as far as ``app`` leads inwards."""
    for _ in range(_DEPTH):
        if app is None:
            return
        yield app
        app = getattr(app, "app", None)


def callers() -> Iterator[Any]:
    """Yield the applications that wait for the current call, from inside outwards.

    No function gets the frame of its caller, by which signal handlers are recognized.
    """
    frame = currentframe()
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__call__" and code.co_varnames[:1] == ("self",):
            yield frame.f_locals["self"]
        frame = frame.f_back


def class_of(middleware: object) -> type[object]:
    """Return the class of middleware."""
    return type(middleware)


def is_contrib(kind: type) -> bool:
    """Return True if a class, or a base, is middleware of an instrumentation, and not cut out."""
    return not hasattr(kind, _CUT_OUT) and any(
        (each.__module__, each.__name__) in _CLASSES for each in kind.__mro__
    )


def cut_out(middleware: Any) -> None:
    """Let middleware pass every request on, and record nothing."""
    kind = class_of(middleware)
    middleware.__class__ = type(kind.__name__, (kind,), {"__call__": _pass_on, _CUT_OUT: kind})


def kept(kind: type) -> Any:
    """Return a subclass of middleware that is not cut out, because it was chosen."""
    return type(kind.__name__, (kind,), {_CUT_OUT: kind})


def restore(middleware: Any) -> None:
    """Let middleware record again."""
    kind = class_of(middleware)
    middleware.__class__ = getattr(kind, _CUT_OUT, kind)


def uninstrument(app: Any) -> bool:
    """Undo the instrumentation of an application by OpenTelemetry's own package.

    Returns:
        True if the application was instrumented.
    """
    if not getattr(app, _INSTRUMENTED, False):
        return False
    stack = app.middleware_stack
    for name, instrumentor in _INSTRUMENTORS.items():
        module = sys.modules.get(name)
        if module is not None and getattr(app, _INSTRUMENTED):
            getattr(module, instrumentor).uninstrument_app(app)
    if stack is None:  # it has been built, although the application does not serve yet
        app.middleware_stack = None
    return True


_INSTRUMENTORS: Final = {
    "opentelemetry.instrumentation.fastapi": "FastAPIInstrumentor",
    "opentelemetry.instrumentation.starlette": "StarletteInstrumentor",
}


async def _pass_on(self: Any, scope: Scope, receive: Receive, send: Send) -> None:
    await self.app(scope, receive, send)

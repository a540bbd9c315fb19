"""The instrumentor of FastAPI and Starlette: applications are instrumented as they begin to serve.

Only here classes of the frameworks are changed, until `MetaInstrumentor.uninstrument`. A class is
changed when its module is imported, so that a process without a web application imports none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import wraps
from types import ModuleType
from typing import Any, Final
from weakref import ref

import wrapt
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from .first_build import FirstBuild, uninstrument_all

_CLASSES: Final = (
    ("starlette.applications", "Starlette"),
    ("fastapi.applications", "FastAPI"),  # its constructor does not call that of Starlette
)


class MetaInstrumentor(BaseInstrumentor):
    """Instruments every application of FastAPI and Starlette when it begins to serve."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return no package: a framework that is not installed is never imported."""
        return ()

    def _instrument(self, **_options: Any) -> None:
        self._changes = [_Change(*each) for each in _CLASSES]

    def _uninstrument(self, **_options: Any) -> None:
        for change in self._changes:
            change.undo()
        uninstrument_all()


class _Change:
    """Changes the constructor of a class, at once or when the module is imported."""

    def __init__(self, module: str, name: str) -> None:
        self._name: Final = name
        self._is_wanted = True
        self._restore: Callable[[], None] | None = None
        self._waiting: Final[list[ref[FirstBuild]]] = []
        wrapt.register_post_import_hook(self._apply, module)

    def undo(self) -> None:
        """Restore the constructor, and leave applications alone that do not serve yet."""
        self._is_wanted = False
        if self._restore is not None:
            self._restore()
        for waiting in filter(None, [each() for each in self._waiting]):
            waiting.cancel()

    def _apply(self, module: ModuleType) -> None:
        owner: Any = getattr(module, self._name)
        original = owner.__init__

        @wraps(original)
        def constructor(app: Any, *args: Any, **kwargs: Any) -> None:
            original(app, *args, **kwargs)
            self._prepare(app)

        def restore() -> None:
            if owner.__init__ is constructor:
                owner.__init__ = original

        if self._is_wanted:
            owner.__init__, self._restore = constructor, restore

    def _prepare(self, app: Any) -> None:
        if self._is_wanted:
            self._waiting.append(ref(FirstBuild(app), self._waiting.remove))

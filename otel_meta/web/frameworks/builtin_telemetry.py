"""FastAPI's own telemetry, which it has since 0.142 and begins outside of all middleware."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

SCOPE_KEY: Final = "fastapi.telemetry"
"""In the scope: what FastAPI records of a request; None keeps other applications from recording."""
OFF: Final = {"tracing": False, "metrics": False, "logs": False}
"""Settings with which an application records nothing."""


def is_recorded_by_fastapi(scope: Mapping[str, Any]) -> bool:
    """Return True if an application of FastAPI around this one records the request."""
    return scope.get(SCOPE_KEY) is not None


class BuiltinTelemetry:
    """The settings of one application's telemetry, as ``FastAPI(telemetry={...})`` takes them.

    FastAPI reads them at each request, so they can be changed while the application serves.

    Args:
        app: an application, also of a version or a framework without such telemetry.
    """

    def __init__(self, app: Any) -> None:
        settings = getattr(app, "_telemetry", None)
        self._settings: Final = cast("dict[str, Any]", settings) if _is_known(settings) else {}
        self._given: Final = dict(self._settings)

    @property
    def exists(self) -> bool:
        """Whether the application has such telemetry."""
        return bool(self._settings)

    @property
    def is_on(self) -> bool:
        """Whether requests would be recorded, as soon as the process has providers."""
        return any(self._settings.get(signal) for signal in OFF)

    def switch_off(self) -> None:
        """Record nothing."""
        self.change(OFF)

    def change(self, settings: Mapping[str, Any]) -> None:
        """Change settings, if the application has such telemetry."""
        if self._settings:
            self._settings.update(settings)

    def restore(self) -> None:
        """Set what the application has set."""
        self._settings.update(self._given)


def _is_known(settings: object) -> bool:
    return isinstance(settings, dict) and OFF.keys() <= settings.keys()

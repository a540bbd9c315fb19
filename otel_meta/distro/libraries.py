"""Instrumentation of installed libraries by the instrumentors of OpenTelemetry contrib."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from otel_meta.extras import ExtraImports
from otel_meta.runtime.configure import configure
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.faults import Faults, logger
from otel_meta.runtime.sdk_environment import prefer_stable_conventions
from otel_meta.runtime.telemetry import Telemetry

OWN_NAME: Final = "otel_meta"
"""The name of the package's own entry points."""
_GROUP: Final = "opentelemetry_instrumentor"
_WEB_APPLICATIONS: Final = frozenset({OWN_NAME, "fastapi", "starlette", "asgi"})
"""Instrumentors of web applications: that of otel_meta, and those of contrib that it replaces."""
_SWITCHED_OFF: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


def instrument_libraries(telemetry: Telemetry | None = None) -> tuple[str, ...]:
    """Instrument every installed library that has an installed instrumentor.

    The instrumentors are the packages ``opentelemetry-instrumentation-...``, such as those for
    httpx, SQLAlchemy, Redis and Celery. Those for FastAPI and Starlette are left out, because
    `instrument_fastapi` does their work. ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`` leaves further
    ones out. Under the command ``opentelemetry-instrument`` the call is not necessary.

    Args:
        telemetry: from `configure`, which has made it the telemetry of the process; by default
            configured from the environment.

    Returns:
        The names of the instrumentors that are active now, also of those that were before.

    Raises:
        MissingExtra: no instrumentor is installed.
        ConfigurationError: telemetry cannot start.
    """
    telemetry = telemetry or configure()
    with ExtraImports("fastapi", "instrument_libraries()"):
        from opentelemetry.instrumentation.dependencies import (  # noqa: PLC0415 - needs an extra
            DependencyConflictError,
        )
    prefer_stable_conventions()
    is_missing = (DependencyConflictError, ModuleNotFoundError)
    found = (each.name for each in _wanted() if _instrument(each, is_missing, telemetry.faults))
    active = tuple(sorted(found))
    logger.info("instrumented libraries: %s", ", ".join(active) or "none")
    return active


def is_of_web_application(name: str) -> bool:
    """Return True if an entry point instruments what the instrumentor of otel_meta does."""
    return name in _WEB_APPLICATIONS


def switched_off(name: str) -> bool:
    """Return True if the environment leaves an instrumentor out."""
    words = {word.strip() for word in os.environ.get(_SWITCHED_OFF, "").split(",")}
    return not words.isdisjoint({name, "*"})


def _wanted() -> Iterator[EntryPoint]:
    for entry in entry_points(group=_GROUP):
        if not (is_of_web_application(entry.name) or switched_off(entry.name)):
            yield entry


def _instrument(entry: EntryPoint, is_missing: tuple[type[Exception], ...], faults: Faults) -> bool:
    """Return True if the library is instrumented; False if it is missing or the attempt fails."""
    try:
        instrumentor: Any = entry.load()()
        if not instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.instrument(raise_exception_on_conflict=True)
    except is_missing:
        return False
    except Exception as error:
        reraise_interruption(error)
        faults.report("instrument_libraries", entry.name, error)
        return False
    return True

"""Options of the instrumentation of an application, and what is made of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypedDict

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.setting_variables import ENGINES
from otel_meta.runtime.telemetry import Telemetry

from .endpoints import Endpoints, Paths
from .engine.engine_options import EngineName, EngineOptions
from .engine.exclusions import excluded_by_environment
from .engine.fresh_context import RequestContext
from .engine.guarded_tracer import RequestHook
from .readiness import Check, Readiness

EXAMPLE: Final = "instrument_fastapi(app, configure('my-service', Aurora))"


class WebOptions(TypedDict, total=False):
    """Keyword arguments of `instrument_fastapi` and `instrument_asgi`."""

    ready: Check | None
    paths: Paths | None
    engine: EngineName | None
    exclude: Iterable[str]
    public: bool
    traceresponse: bool
    request_hook: RequestHook | None


class Parts(NamedTuple):
    """What the middleware of an application consists of."""

    readiness: Readiness
    endpoints: Endpoints
    options: EngineOptions
    contexts: RequestContext


def create_parts(
    telemetry: Telemetry, routes: Callable[[], Iterable[Any]], options: Mapping[str, Any]
) -> Parts:
    """Create the parts of a middleware.

    Args:
        telemetry: records the requests.
        routes: returns the routes of the application.
        options: `WebOptions`.

    Raises:
        ConfigurationError: an option is invalid.
        TypeError: an option has an unknown name.
    """
    rest = dict(options)
    readiness = Readiness(rest.pop("ready", None), telemetry.faults)
    endpoints = Endpoints(telemetry, readiness, rest.pop("paths", None) or Paths(), routes)
    engine = _engine(rest.pop("engine", None), telemetry)
    exclude = rest.pop("exclude", ()) or excluded_by_environment(os.environ)
    engine_options = EngineOptions(engine=engine, exclude=exclude, **rest)
    return Parts(readiness, endpoints, engine_options, RequestContext())


def check_arguments(telemetry: object, options: Mapping[str, object]) -> None:
    """Refuse exchanged arguments, which no type checker may have seen.

    Raises:
        ConfigurationError: an argument has the wrong type.
    """
    ready, paths = options.get("ready"), options.get("paths")
    if not isinstance(telemetry, Telemetry | None):
        raise ConfigurationError(
            f"telemetry={telemetry!r} is no telemetry; give the result of configure(), as in "
            f"{EXAMPLE}"
        )
    if ready is not None and not callable(ready):
        raise ConfigurationError(
            f"ready={ready!r} cannot be called; give the function itself, without parentheses"
        )
    if not isinstance(paths, Paths | None):
        raise ConfigurationError(
            f"paths={paths!r} is no set of paths; write it as paths=Paths(metrics='/metrics')"
        )


def _engine(given: str | None, telemetry: Telemetry) -> str:
    if given is None:
        return telemetry.settings.web_engine
    if given not in ENGINES:
        raise ConfigurationError(f"engine={given!r}: choose from {', '.join(ENGINES)}")
    return given

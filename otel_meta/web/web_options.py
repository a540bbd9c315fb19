"""Options of the instrumentation of an application, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple, TypedDict

from otel_meta.runtime.telemetry import Telemetry

from .endpoints import Endpoints, Paths
from .engine.engine_options import EngineName, EngineOptions
from .engine.exclusions import Exclusions, excluded_by_environment
from .engine.fresh_context import RequestContext
from .engine.guarded_tracer import RequestHook
from .readiness import Check, Readiness


class WebOptions(TypedDict, total=False):
    """Keyword arguments of `instrument_fastapi` and `instrument_asgi`."""

    ready: Check | None
    paths: Paths | None
    engine: EngineName | None
    exclude: Collection[str]
    public: bool
    traceresponse: bool
    request_hook: RequestHook | None


class Parts(NamedTuple):
    """What the middleware of an application consists of."""

    readiness: Readiness
    endpoints: Endpoints
    options: EngineOptions
    exclusions: Exclusions
    contexts: RequestContext


def create_parts(
    telemetry: Telemetry, routes: Callable[[], Iterable[Any]], options: Mapping[str, Any]
) -> Parts:
    """Create the parts of a middleware.

    Args:
        telemetry: records the requests.
        routes: returns the routes of the application.
        options: `WebOptions`, checked.

    Raises:
        ConfigurationError: a pattern is no regular expression.
    """
    rest = dict(options)
    readiness = Readiness(rest.pop("ready", None), telemetry.faults)
    endpoints = Endpoints(telemetry, readiness, rest.pop("paths", None) or Paths(), routes)
    engine = _engine(rest.pop("engine", None), telemetry)
    exclude = rest.pop("exclude", ()) or excluded_by_environment(telemetry.settings.sdk_variables)
    engine_options = EngineOptions(engine=engine, **rest)
    return Parts(readiness, endpoints, engine_options, Exclusions(exclude), RequestContext())


def _engine(given: str | None, telemetry: Telemetry) -> str:
    return telemetry.settings.web_engine if given is None else given

"""Declare a metric and its SLO once; get typed recording, alert rules, dashboards and runbooks.

Further public names are in `otel_meta.model`, `otel_meta.repos`, `otel_meta.errors`,
`otel_meta.semconv` and `otel_meta.typing`. A module `__getattr__` (PEP 562) imports names on first
use, so commands and declarations load no OpenTelemetry.
"""

from typing import TYPE_CHECKING, Final

from otel_meta._lazy import lazy_names

if TYPE_CHECKING:
    from otel_meta import errors as errors
    from otel_meta import measures
    from otel_meta import model as model
    from otel_meta import repos as repos
    from otel_meta import semconv as semconv
    from otel_meta import typing as typing
    from otel_meta._version import __version__ as __version__
    from otel_meta.distro.libraries import instrument_libraries
    from otel_meta.model import (
        PRESENT,
        Alert,
        BurnWindow,
        Catalog,
        Counter,
        Duration,
        Gauge,
        Histogram,
        MetaRepo,
        NoLabels,
        Objective,
        Recording,
        Slo,
        UpDownCounter,
        labels,
    )
    from otel_meta.runtime.api.bound_repo import bind
    from otel_meta.runtime.configure import configure
    from otel_meta.runtime.short_forms.named_slos import SLOTracker
    from otel_meta.runtime.telemetry import Telemetry
    from otel_meta.web.asgi_application import instrument_asgi
    from otel_meta.web.endpoints import Paths
    from otel_meta.web.fastapi import instrument_fastapi, uninstrument_fastapi

__all__ = [
    "PRESENT",
    "Alert",
    "BurnWindow",
    "Catalog",
    "Counter",
    "Duration",
    "Gauge",
    "Histogram",
    "MetaRepo",
    "NoLabels",
    "Objective",
    "Paths",
    "Recording",
    "SLOTracker",
    "Slo",
    "Telemetry",
    "UpDownCounter",
    "bind",
    "configure",
    "instrument_asgi",
    "instrument_fastapi",
    "instrument_libraries",
    "labels",
    "measures",
    "uninstrument_fastapi",
]

_SUBMODULES: Final = ("errors", "measures", "model", "repos", "semconv", "typing")
_HOMES: Final = {
    **dict.fromkeys(__all__, "otel_meta.model"),
    **{name: f"otel_meta.{name}" for name in _SUBMODULES},
    "SLOTracker": "otel_meta.runtime.short_forms.named_slos",
    "Paths": "otel_meta.web.endpoints",
    "Telemetry": "otel_meta.runtime.telemetry",
    "__version__": "otel_meta._version",
    "bind": "otel_meta.runtime.api.bound_repo",
    "configure": "otel_meta.runtime.configure",
    "instrument_asgi": "otel_meta.web.asgi_application",
    "instrument_fastapi": "otel_meta.web.fastapi",
    "instrument_libraries": "otel_meta.distro.libraries",
    "uninstrument_fastapi": "otel_meta.web.fastapi",
}
"""The module that defines each public name, or that the name stands for."""

if not TYPE_CHECKING:  # with a module __getattr__, a type checker accepts every name
    __getattr__, __dir__ = lazy_names(__name__, _HOMES, {*__all__, *_HOMES})

"""Declare a metric and its SLO once; get typed recording, alert rules, dashboards and runbooks.

Further public names are in `otel_meta.model`, `otel_meta.repos`, `otel_meta.errors`,
`otel_meta.semconv` and `otel_meta.typing`. A module `__getattr__` (PEP 562) imports names on first
use, so commands and declarations load no OpenTelemetry.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from otel_meta import errors as errors
    from otel_meta import measures
    from otel_meta import model as model
    from otel_meta import repos as repos
    from otel_meta import semconv as semconv
    from otel_meta import typing as typing
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
    from otel_meta.runtime.configure import configure
    from otel_meta.runtime.telemetry import Telemetry
    from otel_meta.web.endpoints import Paths
    from otel_meta.web.fastapi import instrument_fastapi

    __version__: str

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
    "Slo",
    "Telemetry",
    "UpDownCounter",
    "configure",
    "instrument_fastapi",
    "labels",
    "measures",
]

_SUBMODULES: Final = ("errors", "measures", "model", "repos", "semconv", "typing")
_HOMES: Final = {
    "Paths": "otel_meta.web.endpoints",
    "Telemetry": "otel_meta.runtime.telemetry",
    "configure": "otel_meta.runtime.configure",
    "instrument_fastapi": "otel_meta.web.fastapi",
}
"""Modules of the public names outside the model."""

if not TYPE_CHECKING:  # with a module __getattr__, a type checker accepts every name

    def __getattr__(name: str) -> object:
        """Import a public name at its first use.

        Raises:
            AttributeError: the package has no such name.
        """
        if name == "__version__":
            found = import_module("importlib.metadata").version("otel_meta")
        elif name in _SUBMODULES:
            return import_module(f"otel_meta.{name}")
        elif name in __all__:
            found = getattr(import_module(_HOMES.get(name, "otel_meta.model")), name)
        else:
            message = f"module 'otel_meta' has no attribute {name!r}"
            # With the object, Python suggests the nearest name.
            raise AttributeError(message, name=name, obj=sys.modules[__name__])
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        """List the public names, imported or not."""
        special = (name for name in globals() if name.startswith("__"))
        return sorted({*special, *__all__, *_SUBMODULES, "__version__"})

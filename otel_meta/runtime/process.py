"""What OpenTelemetry's libraries read from the process for themselves, settled before they do."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final

from opentelemetry.propagators.composite import CompositePropagator

_PROPAGATORS: Final = "OTEL_PROPAGATORS"
_CONVENTIONS: Final = "OTEL_SEMCONV_STABILITY_OPT_IN"


def set_propagators(names: tuple[str, ...]) -> None:
    """Choose which headers carry a trace from service to service.

    ``opentelemetry.propagate`` reads the variable while it is imported, and raises there if a name
    is unknown. It is imported here, after the settings have been checked, with the checked value.
    """
    os.environ[_PROPAGATORS] = ",".join(names) or "none"
    propagate = import_module("opentelemetry.propagate")
    propagate.set_global_textmap(CompositePropagator([_load(n) for n in names if n != "none"]))


def prefer_stable_conventions() -> None:
    """Have contrib's instrumentors emit the stable HTTP conventions.

    They read the variable once, at the first instrumentation of anything, and default to the
    legacy ones, in which a client's Host header becomes a label.
    """
    wanted = os.environ.get(_CONVENTIONS, "")
    if not {"http", "http/dup"} & set(wanted.replace(" ", "").split(",")):
        os.environ[_CONVENTIONS] = f"{wanted},http".lstrip(",")


def _load(name: str) -> Any:
    (entry, *_) = entry_points(group="opentelemetry_propagator", name=name)
    return entry.load()()

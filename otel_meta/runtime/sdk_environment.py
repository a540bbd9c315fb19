"""Environment variables of OpenTelemetry's libraries, corrected before the libraries start."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final

from opentelemetry.propagators.composite import CompositePropagator

_PROPAGATORS: Final = "OTEL_PROPAGATORS"
_CONVENTIONS: Final = "OTEL_SEMCONV_STABILITY_OPT_IN"


def _is_limit(text: str) -> bool:
    return not text.strip() or text.strip().isdecimal()


_CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    "OTEL_METRICS_EXEMPLAR_FILTER": {"", "always_on", "always_off", "trace_based"}.__contains__,
    **{
        f"OTEL_{limit}_LIMIT": _is_limit
        for limit in (
            "ATTRIBUTE_COUNT",
            "ATTRIBUTE_VALUE_LENGTH",
            "EVENT_ATTRIBUTE_COUNT",
            "LINK_ATTRIBUTE_COUNT",
            "LOGRECORD_ATTRIBUTE_COUNT",
            "LOGRECORD_ATTRIBUTE_VALUE_LENGTH",
            "SPAN_ATTRIBUTE_COUNT",
            "SPAN_ATTRIBUTE_VALUE_LENGTH",
            "SPAN_EVENT_COUNT",
            "SPAN_LINK_COUNT",
        )
    },
}
"""Variables of the SDK, each with a test for valid values."""


def set_propagators(names: tuple[str, ...]) -> None:
    """Set the headers that propagate a trace from service to service.

    ``opentelemetry.propagate`` reads the variable on import and raises if a name is unknown. So the
    module is imported here, after the settings have been checked, and reads the checked value.
    """
    os.environ[_PROPAGATORS] = ",".join(names) or "none"
    propagate = import_module("opentelemetry.propagate")
    propagate.set_global_textmap(CompositePropagator([_load(n) for n in names if n != "none"]))


def prefer_stable_conventions() -> None:
    """Make contrib's instrumentors emit the stable HTTP conventions.

    Instrumentors read the variable once, at the first instrumentation in the process. By default
    they follow the legacy conventions: there a client's Host header becomes a label.
    """
    wanted = os.environ.get(_CONVENTIONS, "")
    if not {"http", "http/dup"} & set(wanted.replace(" ", "").split(",")):
        os.environ[_CONVENTIONS] = f"{wanted},http".lstrip(",")


def drop_invalid_variables() -> list[str]:
    """Remove variables with invalid values: the SDK raises, where the standard demands a warning.

    Returns:
        A warning for each removed variable.
    """
    invalid = [name for name, is_valid in _CHECKS.items() if not is_valid(os.environ.get(name, ""))]
    return [
        f"{name} holds {os.environ.pop(name)!r}, which is invalid; ignoring it" for name in invalid
    ]


def _load(name: str) -> Any:
    (entry, *_) = entry_points(group="opentelemetry_propagator", name=name)
    return entry.load()()

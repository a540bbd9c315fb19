"""Checks of the arguments of an instrumentation: the answer to each mistake has the fix."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from otel_meta.errors import ConfigurationError
from otel_meta.runtime.setting_variables import ENGINES
from otel_meta.runtime.telemetry import Telemetry

from .endpoints import Paths

EXAMPLE: Final = "instrument_fastapi(app, configure('my-service', Aurora))"


class _Check(NamedTuple):
    is_valid: Callable[[Any], bool]
    problem: str
    """With the fix."""


def _are_patterns(value: Any) -> bool:
    is_collection = isinstance(value, Collection) and not isinstance(value, str)
    return is_collection and all(isinstance(pattern, str) for pattern in value)


_ON_OR_OFF: Final = _Check(lambda value: isinstance(value, bool), "is neither True nor False")

_CHECKS: Final[Mapping[str, _Check]] = {
    "ready": _Check(callable, "cannot be called; give the function itself, without parentheses"),
    "paths": _Check(
        lambda value: isinstance(value, Paths),
        "is no set of paths; write it as paths=Paths(metrics='/metrics')",
    ),
    "engine": _Check(
        lambda value: value in ENGINES, f"is no engine; choose from {', '.join(ENGINES)}"
    ),
    "exclude": _Check(
        _are_patterns, "is no list of patterns; write it as exclude=['/internal/.*']"
    ),
    "public": _ON_OR_OFF,
    "traceresponse": _ON_OR_OFF,
    "request_hook": _Check(callable, "cannot be called; give a function of span and scope"),
}


def check_arguments(telemetry: object, options: Mapping[str, object]) -> None:
    """Refuse wrong arguments, which no type checker may have seen; None is like no argument.

    Raises:
        ConfigurationError: an argument has the wrong type.
        TypeError: an option has an unknown name.
    """
    if not isinstance(telemetry, Telemetry | None):
        raise ConfigurationError(
            f"telemetry={telemetry!r} is no telemetry; give the result of configure(), as in "
            f"{EXAMPLE}"
        )
    for name, value in options.items():
        check = _CHECKS.get(name)
        if check is None:
            raise TypeError(f"there is no option {name!r}; {_suggestion(name)}")
        if value is not None and not check.is_valid(value):
            raise ConfigurationError(f"{name}={value!r} {check.problem}")


def _suggestion(name: str) -> str:
    near = get_close_matches(name, _CHECKS, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(_CHECKS)}"

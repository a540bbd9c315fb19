"""The environment of OpenTelemetry's libraries: checked variables while telemetry is set up.

The SDK reads variables in many places: in constructors without a parameter for the value, in the
import of a module, in exporters of other packages. So `configure` sets up telemetry inside
`checked_variables`, which shows the libraries checked values in ``os.environ``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final, NamedTuple

from .environment.value_kinds import is_installed
from .interruption import suppress_faults

_PREFIX: Final = "OTEL_"
_CONVENTIONS: Final = "OTEL_SEMCONV_STABILITY_OPT_IN"
_STABLE: Final = ("http", "database")
_PROPAGATORS: Final = "opentelemetry_propagator"


@contextmanager
def checked_variables(checked: Mapping[str, str]) -> Generator[None]:
    """Replace the OTEL_ variables of this process in a block of code.

    Args:
        checked: all OTEL_ variables inside the block.
    """
    before = {name: text for name, text in os.environ.items() if name.startswith(_PREFIX)}
    _replace(before, checked)
    try:
        yield
    finally:
        _replace(checked, before)


def _replace(old: Mapping[str, str], new: Mapping[str, str]) -> None:
    for name in old.keys() - new.keys():
        os.environ.pop(name, None)
    for name, text in new.items():
        if old.get(name) != text:
            os.environ[name] = text


def _is_context(text: str) -> bool:
    return is_installed("opentelemetry_context", text)


def _are_propagators(text: str) -> bool:
    words = (word.strip() for word in text.split(","))
    return all(word.lower() == "none" or is_installed(_PROPAGATORS, word) for word in words)


def _is_count(text: str) -> bool:
    return not text.strip() or (text.isascii() and text.strip().isdecimal())


class _Import(NamedTuple):
    variable: str
    module: str
    is_valid: Callable[[str], bool]


_IMPORTS: Final = (
    _Import("OTEL_PYTHON_CONTEXT", "opentelemetry.context", _is_context),
    _Import("OTEL_PROPAGATORS", "opentelemetry.propagate", _are_propagators),
    _Import("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "opentelemetry.sdk.trace", _is_count),
)
"""The modules that read a variable on import."""


def import_sdk_safely() -> None:
    """Import the modules that raise for an invalid variable, or log a traceback, without it.

    `configure` warns of the variable later.
    """
    given = {name: text for name, text in os.environ.items() if name.startswith(_PREFIX)}
    invalid = {row.variable for row in _IMPORTS if not _holds_valid(row, given)}
    if invalid:
        with checked_variables({n: text for n, text in given.items() if n not in invalid}):
            for row in _IMPORTS:
                with suppress_faults(ModuleNotFoundError):  # the SDK is an extra
                    import_module(row.module)


def _holds_valid(row: _Import, given: Mapping[str, str]) -> bool:
    text = given.get(row.variable)
    return not text or row.is_valid(text)


def set_propagators(names: tuple[str, ...]) -> None:
    """Set the headers that propagate a trace from service to service."""
    with checked_variables({}):  # the import raises if OTEL_PROPAGATORS has an unknown name
        propagate = import_module("opentelemetry.propagate")
    composite = import_module("opentelemetry.propagators.composite")
    textmaps = [load_propagator(name) for name in names if name != "none"]
    propagate.set_global_textmap(composite.CompositePropagator(textmaps))


def load_propagator(name: str) -> Any:
    """Return a new propagator of this name in OTEL_PROPAGATORS, which is installed."""
    (entry, *_) = entry_points(group=_PROPAGATORS, name=name)
    return entry.load()()


def prefer_stable_conventions() -> None:
    """Make contrib's instrumentors emit the stable conventions of HTTP and of databases.

    Instrumentors read the variable once, at the first instrumentation in the process. By default
    they follow the legacy conventions: there a client's Host header becomes a label.
    """
    wanted = [word.strip() for word in os.environ.get(_CONVENTIONS, "").split(",") if word.strip()]
    missing = [each for each in _STABLE if not {each, f"{each}/dup"} & set(wanted)]
    os.environ[_CONVENTIONS] = ",".join([*wanted, *missing])

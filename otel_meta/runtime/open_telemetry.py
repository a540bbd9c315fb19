"""The open telemetry of this process, which a second call of `configure` returns.

A module can run twice in a process: ``python service.py`` ending in ``uvicorn.run("service:app")``
runs the file as ``__main__`` and imports it again, as do reload and workers; a cell of a notebook
runs again; a factory of applications runs for each test. A call with equal arguments therefore
returns the open telemetry. A call with other arguments is an error, because one of the two callers
would not get what it asks for.

Telemetry that an injector has opened from the environment alone is no such caller. It is replaced
by the first call with other arguments, which have precedence over variables. Once an application
serves with it, it stays: the application records into it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from inspect import currentframe
from traceback import walk_stack
from typing import Any, Final

from otel_meta.errors import ConfigurationError

from .configure_options import Options
from .recording.faults import logger
from .settings import Settings
from .telemetry import Telemetry

_PACKAGE: Final = __name__.partition(".")[0]
_NO_SETTINGS: Final = ("log_stream", "cache_loggers", "clock")
"""Options that no field of `Settings` holds."""


@dataclass(frozen=True)
class Call:
    """A call of `configure`."""

    settings: Settings
    options: Options
    place: str
    """File and line of the caller."""
    is_injected: bool = False
    """True if no code of the process made the call."""

    def differences(self, other: Call) -> list[str]:
        """Return the names of settings and options in which another call differs."""
        mine, others = _comparable(self), _comparable(other)
        return [name for name, value in mine.items() if value != others[name]]


@dataclass
class _Open:
    telemetry: Telemetry
    call: Call
    is_serving: bool = False


_open: list[_Open] = []
"""Holds the open telemetry; empty before `configure` and after the shutdown."""


def open_telemetry(call: Call, *, is_bare: bool) -> Telemetry | None:
    """Return the open telemetry for a call; None if there is none.

    Args:
        call: the second call.
        is_bare: True if the call has no arguments, and therefore demands nothing.

    Raises:
        ConfigurationError: code of the process has opened telemetry with other settings.
    """
    for known in _open:
        differences = [] if is_bare else known.call.differences(call)
        if differences and known.call.is_injected:
            return _of_injector(known, call, ", ".join(differences))
        if differences:
            raise ConfigurationError(
                f"configure() in {call.place} differs in {', '.join(differences)} from "
                f"configure() in {known.call.place}, whose telemetry is open; use that telemetry, "
                "call its shutdown() before, or pass set_global=False for a second one beside it"
            )
        logger.debug("configure() in %s returns telemetry of %s", call.place, known.call.place)
        return known.telemetry
    return None


def begin_serving(telemetry: Telemetry) -> bool:
    """Keep telemetry that an injector has opened, because an application is instrumented by it.

    Returns:
        True at the first call for such telemetry.
    """
    for known in _open:
        if known.telemetry is telemetry and known.call.is_injected and not known.is_serving:
            known.is_serving = True
            return True
    return False


def _of_injector(known: _Open, call: Call, differences: str) -> Telemetry | None:
    """Return the open telemetry if it has to stay; else shut it down, and return None."""
    if known.is_serving:
        logger.warning(
            "configure() in %s comes after an application was instrumented from the environment, "
            "and differs in %s, which is ignored; call it before the application serves",
            call.place,
            differences,
        )
        return known.telemetry
    logger.info(
        "configure() in %s replaces the telemetry of the environment, and differs in %s",
        call.place,
        differences,
    )
    known.telemetry.discard()
    return None


def remember(telemetry: Telemetry, call: Call) -> None:
    """Return this telemetry for further calls until it is shut down."""
    known = _Open(telemetry, call)
    _open.append(known)
    telemetry.on_shutdown.callback(_open.remove, known)


def caller() -> str:
    """Return file and line of the caller of this package."""
    for frame, line in walk_stack(currentframe()):
        if frame.f_globals.get("__name__", "").partition(".")[0] != _PACKAGE:
            return f"{frame.f_code.co_filename}:{line}"
    return "unknown"


def _comparable(call: Call) -> dict[str, Any]:
    """Return settings and options; the first call has changed variables of libraries."""
    settings = vars(replace(call.settings, warnings=(), sdk_variables={}))
    return {**settings, **{name: call.options.get(name) for name in _NO_SETTINGS}}

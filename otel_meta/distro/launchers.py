"""Processes that only start workers: no telemetry starts in them.

A launcher records nothing. With telemetry, it would take the port for /metrics and the instance id
from its workers, in which the injector runs again. The master process of gunicorn is no launcher:
its workers are forked, and the injector does not run in them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Final

_TRACKER: Final = "multiprocessing.resource_tracker"
"""In the command line of a process that removes what children of multiprocessing left behind."""
_OPTIONS_WITH_VALUE: Final = ("-X", "-W")
"""Of the interpreter."""

Words = Sequence[str]
Variables = Mapping[str, str]


def is_launcher(command: Words | None = None, environ: Variables = os.environ) -> bool:
    """Return True if a process only starts others.

    Args:
        command: the command line, with the interpreter first; by default that of this process.
        environ: the environment variables.
    """
    line = sys.orig_argv if command is None else command
    program, *words = _program(line) or [""]
    starts_workers = _SERVERS.get(PurePath(program).stem)
    is_server = starts_workers is not None and starts_workers(words, environ)
    return is_server or any(_TRACKER in word for word in line)


def _program(line: Words) -> Words:
    """Return the script or module of a command line, and its arguments."""
    words = list(line[1:])
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option == "-m":
            break
        if option in _OPTIONS_WITH_VALUE:
            del words[:1]
    return words


def _uvicorn(words: Words, environ: Variables) -> bool:
    workers = _value(words, "--workers") or environ.get("UVICORN_WORKERS")
    reloads = environ.get("UVICORN_RELOAD", "").lower() in {"1", "true", "t", "yes", "y", "on"}
    return reloads or "--reload" in words or _several(workers, environ)


def _fastapi(words: Words, environ: Variables) -> bool:
    reloads = "--reload" in words or ("dev" in words[:1] and "--no-reload" not in words)
    return reloads or _several(_value(words, "--workers"), environ)


def _hypercorn(words: Words, _environ: Variables) -> bool:
    """Return True unless the server shall run in the process itself."""
    return "0" not in (_value(words, "--workers"), _value(words, "-w"))


_SERVERS: Final[Mapping[str, Callable[[Words, Variables], bool]]] = {
    "uvicorn": _uvicorn,
    "fastapi": _fastapi,
    "hypercorn": _hypercorn,
}
"""By name: returns True if the server starts its workers as new processes."""


def _value(words: Words, option: str) -> str | None:
    """Return the value of an option, in one word or in two."""
    for word, following in zip(words, [*words[1:], None], strict=True):
        if word == option:
            return following
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return None


def _several(workers: str | None, environ: Variables) -> bool:
    number = workers or environ.get("WEB_CONCURRENCY", "")
    return number.isdecimal() and int(number) > 1

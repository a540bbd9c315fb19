"""Detection of servers that run several workers: each worker then has series of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import currentframe
from traceback import walk_stack
from typing import Any, Final


def server_workers() -> int:
    """Return the number of workers of the server that imports the application; 1 if unknown.

    Servers tell an application nothing about other workers. So the server's configuration is looked
    up among the callers of `configure`.
    """
    for frame, _ in walk_stack(currentframe()):
        find = _SERVERS.get(frame.f_globals.get("__name__", "").partition(".")[0])
        # Of servers only: a frame keeps the values of variables that were looked at.
        workers = None if find is None else find(frame.f_locals)
        if workers is not None:
            return workers
    return 1


def _of_uvicorn(variables: Mapping[str, Any]) -> int | None:
    config = variables.get("config")
    workers: int | None = getattr(config, "workers", None)
    return 1 if workers and getattr(config, "reload", False) else workers


def _of_gunicorn(variables: Mapping[str, Any]) -> int | None:
    return getattr(variables.get("self"), "num_workers", None)


_SERVERS: Final[Mapping[str, Callable[[Mapping[str, Any]], int | None]]] = {
    "uvicorn": _of_uvicorn,
    "gunicorn": _of_gunicorn,
}
"""By package: returns the number of workers from the local variables of a function."""

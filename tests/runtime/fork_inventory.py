"""A walk over the live objects of telemetry, for the state that a forked child inherits."""

from __future__ import annotations

import contextvars
import gc
import io
import logging
import mmap
import selectors
import socket
import sys
import threading
import types
from collections import deque
from collections.abc import Container, Iterable, Iterator
from concurrent.futures import Executor
from typing import Any, Final, NamedTuple

LOCKS: Final = (type(threading.Lock()), type(threading.RLock()))

STATE: Final = (
    *LOCKS,
    threading.Thread,
    socket.socket,
    io.IOBase,
    mmap.mmap,
    selectors.BaseSelector,
    Executor,
    contextvars.Token,
)
"""The kinds of objects that are of one process, or of one thread."""

_PACKAGES: Final = (
    "collections",
    "functools",
    "grpc",
    "http.client",
    "logging",
    "opentelemetry",
    "otel_meta",
    "prometheus_client",
    "queue",
    "requests",
    "structlog",
    "threading",
    "urllib3",
)
"""The modules whose objects the walk enters."""

_CONTAINERS: Final = (
    dict,
    list,
    tuple,
    set,
    frozenset,
    deque,
    types.MethodType,
    types.BuiltinMethodType,
    types.CellType,
    types.MappingProxyType,
)
_CLOSED: Final = (types.ModuleType, type, threading.Thread, logging.Manager, logging.Logger)
"""Objects that the walk does not enter, because they lead to the whole process."""


class Found(NamedTuple):
    """An object of one process."""

    path: str
    """The class that holds the object, and the attribute."""
    value: Any


def roots_of_package() -> Iterator[tuple[str, object]]:
    """Return the global names of every module of the package."""
    for name, module in list(sys.modules.items()):
        if name.startswith("otel_meta"):
            yield from ((f"{name}.{key}", value) for key, value in list(vars(module).items()))


def inventory(
    roots: Iterable[tuple[str, object]], unused: Container[str] = frozenset()
) -> list[Found]:
    """Return every object of one process that the roots lead to, except through unused paths."""
    seen: set[int] = set()
    found: list[Found] = []
    remaining = deque(roots)
    while remaining:
        path, obj = remaining.popleft()
        if id(obj) in seen:
            continue
        seen.add(id(obj))
        if path in unused:
            continue
        if isinstance(obj, STATE):
            found.append(Found(path, obj))
        else:
            remaining.extend(_members(path, obj))
    return found


def _members(path: str, obj: object) -> Iterator[tuple[str, object]]:
    if isinstance(obj, _CLOSED):
        return
    if isinstance(obj, types.FunctionType):
        parts = (*(obj.__closure__ or ()), *(obj.__defaults__ or ()))
        yield from ((path, part) for part in parts)
    elif isinstance(obj, threading.Condition):
        yield path, vars(obj)["_lock"]  # the locks of its waiting threads are of these threads
    elif isinstance(obj, _CONTAINERS):
        yield from ((path, part) for part in gc.get_referents(obj))
    elif type(obj).__module__.startswith(_PACKAGES):
        yield from _attributes(obj)
        yield from ((f"{type(obj).__name__}.?", part) for part in gc.get_referents(obj))


def _attributes(obj: object) -> Iterator[tuple[str, object]]:
    names = [name for cls in type(obj).__mro__ for name in getattr(cls, "__slots__", ())]
    slots = {name: getattr(obj, name, None) for name in names if not name.startswith("__")}
    for name, value in {**getattr(obj, "__dict__", {}), **slots}.items():
        yield f"{type(obj).__name__}.{name}", value

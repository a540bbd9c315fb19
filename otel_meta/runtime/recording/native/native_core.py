"""The choice of the core: the updates in C of ``otel_meta_native``, or those of this package.

The extra ``native`` installs the C code. The Python code is the reference, and the fallback for
every call that is not the common case. Both cores work with the same numbers, so that processes
with different cores share a directory.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, Protocol, TypeVar, cast

from otel_meta.runtime.environment.value_kinds import FLAG
from otel_meta.runtime.environment.variable import Environment, Variable
from otel_meta.runtime.interruption import reraise_interruption
from otel_meta.runtime.recording.atomic import atomic

ClassT = TypeVar("ClassT", bound=type)
Method = TypeVar("Method", bound=Callable[..., Any])

INTERFACE: Final = 1
"""The version of the interface between the package and the C code."""

NATIVE_CORE: Final = Variable(
    "OTEL_META_NATIVE_CORE",
    FLAG,
    True,
    "false for recording in Python although otel_meta_native is installed; read by the import",
)

_NAME: Final = "otel_meta_native"


class NativeModule(Protocol):
    """The module in C."""

    INTERFACE: int
    CellState: type
    """What an update reads and writes: the base class of cells."""
    SpanCount: type
    """The base class of the counter of live sampled spans."""
    CellMethod: Callable[..., Any]
    """Puts a method of a cell in C in front of one in Python."""
    TypedCall: Callable[..., Any]
    """Puts a typed call in C in front of one in Python."""
    BoundCall: Callable[..., Any]
    """Puts a bound call in C in front of one in Python."""


def load(env: Environment) -> NativeModule | None:
    """Return the module in C; None if it is not wanted, not installed or not usable.

    A module that is installed but cannot be used leads to a warning of the environment.
    """
    if not env.read(NATIVE_CORE):
        return None
    try:
        module = cast("NativeModule", import_module(_NAME))
    except ImportError as error:
        reraise_interruption(error)
        if not (isinstance(error, ModuleNotFoundError) and error.name == _NAME):
            env.warnings.append(f"{_NAME} cannot be loaded: {error}; recording in Python")
        return None
    if module.INTERFACE != INTERFACE:
        env.warnings.append(
            f"{_NAME} has the interface {module.INTERFACE}, but this otel_meta needs {INTERFACE}; "
            "recording in Python: pip install --upgrade 'otel_meta[native]'"
        )
        return None
    return module


_environment: Final = Environment(os.environ)

NATIVE: Final = load(_environment)
"""The module in C; None if the Python code records."""

WARNINGS: Final = tuple(_environment.warnings)
"""Reasons why an installed module is not used, for the start of telemetry."""


def state(pure: ClassT) -> ClassT:
    """Replace a class of slots by the class in C with the same name and attributes."""
    return pure if NATIVE is None else getattr(NATIVE, pure.__name__)


def cell_method(
    name: str, convert: Callable[[Any], float | None] | None = None
) -> Callable[[Method], Method]:
    """Replace a method of a cell by one in C; without the native core, make it atomic.

    Args:
        name: the method in C: a kind of instrument for its update, or "read" or "move".
        convert: makes a float of a value of any type, or None, for an update.
    """

    def decorate(method: Method) -> Method:
        if NATIVE is None:
            return atomic(method)
        return cast("Method", NATIVE.CellMethod(method, name, convert))

    return decorate

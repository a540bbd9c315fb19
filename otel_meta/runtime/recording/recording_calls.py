"""The functions that record: ``add``, ``set`` and ``record`` of live instruments and of handles.

This module is the seam between the interface of live instruments and the code of an update. A
`CallMaker` makes both kinds of function:

- a *typed call* ``(value, *, label=..., ...)`` finds the series of its labels;
- a *bound call* ``(value)`` records into the series of a handle.

The class attribute ``Family.calls`` says which maker makes the calls of a family: `IN_PYTHON` for
the cells of `cells`, and `THROUGH_CELLS` for cells that pass a value on. With the native core,
`native.native_calls` puts functions in C in front of those of `IN_PYTHON`.

As `dataclasses` compiles a constructor, this module compiles each function for the labels of its
instrument. Each label is a parameter, so the lookup of a series is one dictionary access, and the
default of an omitted label costs nothing. The update is part of the function (see `updates`),
because the call of a method takes as long as the update itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from inspect import Parameter, Signature
from textwrap import indent
from typing import Any, Final, Literal, Protocol

from otel_meta.model import Instrument
from otel_meta.model.labels import Label
from otel_meta.runtime.interruption import reraise_interruption

from .atomic import ATOMIC
from .call_site import COMPILED
from .updates import INLINED, METHOD_CALL, TOOLS

Call = Callable[..., None]
BoundCall = Callable[[float], None]
SlowPath = Callable[[Any, tuple[Any, ...], Mapping[str, Any]], Any]
"""Receives the value, further positional arguments and the labels, and records with full
validation. It returns the cell of the series, or None if the recording is invalid."""

_TYPED: Final = """\
def make(_cells, _record_slow_path):
    def {method}(_value=None, /, *_positional, {parameters}**_unknown):
        if not (_positional or _unknown):
            try:  # only the lookup, which may call __hash__ of a label value
                _cell = _cells[{values}]
            except Exception as _error:
                _reraise_interruption(_error)
            else:
{update}
        _record_slow_path(_value, _positional, {{{labels}**_unknown}})
    return {method}
"""

_BOUND: Final = """\
def make(_cell, _labels, _record_slow_path):
    def {method}({value}, /):
        nonlocal _cell
{update}
        _cell = _record_slow_path({value}, (), _labels) or _cell
    return {method}
"""


class Target(Protocol):
    """What a call records into: `family.Family`."""

    @property
    def instrument(self) -> Instrument[...]:
        """The declaration."""
        ...

    @property
    def by_values(self) -> dict[tuple[str, ...], Any]:
        """The cells by label values in declared order."""
        ...


class CallMaker(Protocol):
    """Makes the recording functions of one family.

    A call raises nothing of its own, and accepts any value. A new series, a refused value, a
    removed series (``cell.writable`` is False), and unknown or missing labels go to the slow path.
    """

    def typed(self, family: Target, method: str, record_slow_path: SlowPath) -> Call:
        """Return a function ``(value, *, label=..., ...)``, which accepts any arguments.

        Args:
            family: the series.
            method: the name of the function, and of the cell's method.
            record_slow_path: records what the function does not.
        """
        ...

    def bound(
        self,
        family: Target,
        method: str,
        cell: Any,
        labels: Mapping[str, Any],
        record_slow_path: SlowPath,
    ) -> BoundCall:
        """Return a function ``(value)`` that records into the series of a handle.

        If the slow path returns a cell, the function continues with this cell.

        Args:
            family: the family of the series.
            method: the name of the function, and of the cell's method.
            cell: the cell of the series; a cell that is not writable if the labels are invalid.
            labels: the labels by name.
            record_slow_path: records what the function does not.
        """
        ...


class CompiledCalls:
    """Compiles functions with the update of each kind of instrument.

    Args:
        updates: the source of the update by kind of instrument; the call of the cell's method for
            other kinds.
    """

    def __init__(self, updates: Mapping[str, str]) -> None:
        self._updates: Final = updates

    def typed(self, family: Target, method: str, record_slow_path: SlowPath) -> Call:
        """Return a function as described in `CallMaker`."""
        fields = family.instrument.label_fields
        signature = tuple((field.name, field.default) for field in fields)
        make = _typed_maker(method, signature, self._update(family))
        call: Call = make(family.by_values, record_slow_path)
        vars(call)["__signature__"] = _signature(method, fields)
        return call

    def bound(
        self,
        family: Target,
        method: str,
        cell: Any,
        labels: Mapping[str, Any],
        record_slow_path: SlowPath,
    ) -> BoundCall:
        """Return a function as described in `CallMaker`."""
        make = _bound_maker(method, self._update(family))
        call: BoundCall = make(cell, labels, record_slow_path)
        return call

    def _update(self, family: Target) -> str:
        return self._updates.get(family.instrument.kind, METHOD_CALL)


THROUGH_CELLS: Final = CompiledCalls({})
"""Calls the method of the cell, on any interpreter and for any class of cell."""

IN_PYTHON: Final[CallMaker] = CompiledCalls(INLINED) if ATOMIC else THROUGH_CELLS
"""For cells whose numbers are in the memory of this process."""


@cache
def _typed_maker(
    method: str, signature: tuple[tuple[str, str | None], ...], update: str
) -> Callable[..., Call]:
    names = [name for name, _ in signature]
    source = _TYPED.format(
        method=method,
        parameters="".join(f"{name}={default!r}, " for name, default in signature),
        values="".join(f"{name}, " for name in names) or "()",
        labels="".join(f"{name!r}: {name}, " for name in names),
        update=indent(update.format(method=method, value="_value"), 16 * " "),
    )
    return _compile(source, f"{method}({', '.join(names)})")


@cache
def _bound_maker(method: str, update: str) -> Callable[..., BoundCall]:
    value = _value_name(method)
    update = indent(update.format(method=method, value=value), 8 * " ")
    source = _BOUND.format(method=method, value=value, update=update)
    return _compile(source, f"handle.{method}")


def _compile(source: str, name: str) -> Callable[..., Any]:
    namespace = {**TOOLS, "_reraise_interruption": reraise_interruption}
    code = compile(source, f"{COMPILED}{name}>", "exec")
    exec(code, namespace)  # noqa: S102 - the labels' names were checked when they were declared
    maker: Callable[..., Any] = namespace["make"]
    return maker


def _value_name(method: str) -> str:
    return "amount" if method == "add" else "value"


@cache
def _signature(method: str, fields: tuple[Label, ...]) -> Signature:
    """Return the signature for `help` and notebooks, with the labels as they are declared."""
    value = _value_name(method)
    if value in {field.name for field in fields}:
        value = f"_{value}"
    parameters = [Parameter(value, Parameter.POSITIONAL_ONLY, annotation=float)]
    parameters += [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if field.default is None else field.default,
            annotation=str if field.values is None else Literal[field.values],
        )
        for field in fields
    ]
    return Signature(parameters, return_annotation=None)

"""Compilation of the recording function of an instrument, specialised for its labels.

As `dataclasses` compiles a constructor, this module compiles ``add``, ``set`` or ``record``. Each
label is a parameter, so the lookup of a series is one dictionary access, and the default of an
omitted label costs nothing. A function with ``**labels`` takes 50 % longer, and several
times as long with an omitted label.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import Parameter, Signature
from typing import Any, Final, Literal

from otel_meta.model.labels import Label
from otel_meta.runtime.interruption import reraise_interruption

from .call_site import COMPILED

Call = Callable[..., None]
SlowPath = Callable[[Any, tuple[Any, ...], dict[str, Any]], object]

_SOURCE: Final = """\
def make(_cells, _record_slow_path, _reraise_interruption):
    def {method}(_value=None, /, *_positional, {parameters}**_unknown):
        if not (_positional or _unknown):
            try:  # only the lookup, which may call __hash__ of a label value
                _cell = _cells[{values}]
            except Exception as _error:
                _reraise_interruption(_error)
            else:
                if _cell.{method}(_value):
                    return
        _record_slow_path(_value, _positional, {{{labels}**_unknown}})
    return {method}
"""


def typed_call(
    method: str, fields: tuple[Label, ...], cells: dict[Any, Any], record_slow_path: SlowPath
) -> Call:
    """Return a function ``(value, *, label=..., ...)`` that calls a method of the series' cell.

    The function accepts any arguments. A new series, a refused value, and unknown or missing labels
    (None) go to ``record_slow_path``.

    Args:
        method: the name of the cell's method and of the function.
        fields: the labels as declared. Their names begin with a letter; the function's own names
            begin with an underscore.
        cells: the cells by label values in declared order.
        record_slow_path: receives the value, further positional arguments, and the labels.
    """
    maker = _maker(method, tuple((field.name, field.default) for field in fields))
    call = maker(cells, record_slow_path, reraise_interruption)
    vars(call)["__signature__"] = _signature(method, fields)
    return call


@cache
def _maker(method: str, signature: tuple[tuple[str, str | None], ...]) -> Callable[..., Call]:
    names = [name for name, _ in signature]
    source = _SOURCE.format(
        method=method,
        parameters="".join(f"{name}={default!r}, " for name, default in signature),
        values="".join(f"{name}, " for name in names) or "()",
        labels="".join(f"{name!r}: {name}, " for name in names),
    )
    namespace: dict[str, Any] = {}
    code = compile(source, f"{COMPILED}{method}({', '.join(names)})>", "exec")
    exec(code, namespace)  # noqa: S102 - the labels' names were checked when they were declared
    maker: Callable[..., Call] = namespace["make"]
    return maker


@cache
def _signature(method: str, fields: tuple[Label, ...]) -> Signature:
    """Return the signature for `help` and notebooks, with the labels as they are declared."""
    value = "amount" if method == "add" else "value"
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

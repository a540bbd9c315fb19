"""The function that a typed call ends in, made for the labels of one instrument.

As `dataclasses` makes a constructor, so this writes the function out: each label is a parameter, so
that finding the series takes one look into a dictionary, and one that is left out has its default
at no cost. A function that takes any keywords and sorts them out takes half as long again, and
several times as long where a label is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from otel_meta.model.labels import Label

Call = Callable[..., None]
SlowPath = Callable[[Any, tuple[Any, ...], dict[str, Any]], object]

_SOURCE: Final = """\
def make(_cells, _record_slow_path):
    def {method}(_value=None, /, *_more, {parameters}**_unknown):
        if not (_more or _unknown):
            try:
                _cells[{values}].{method}(_value)
                return
            except Exception:
                pass
        _record_slow_path(_value, _more, {{{labels}**_unknown}})
    return {method}
"""


def typed_call(
    method: str, fields: tuple[Label, ...], cells: dict[Any, Any], record_slow_path: SlowPath
) -> Call:
    """A function ``(value, *, label=..., ...)`` that calls a method of the series' cell.

    The function accepts any arguments. A new series, a value that the cell refuses, and unknown or
    missing labels (None) go to ``record_slow_path``.

    Args:
        method: of the cell, and the name of the function.
        fields: the labels as declared; their names begin with a letter, its own with an underscore.
        cells: by label values in declared order.
        record_slow_path: is called with the value, further arguments, and the labels.
    """
    signature = tuple((field.name, field.default) for field in fields)
    call: Call = _maker(method, signature)(cells, record_slow_path)
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
    code = compile(source, f"<otel_meta {method}({', '.join(names)})>", "exec")
    exec(code, namespace)  # noqa: S102 - the labels' names were checked when they were declared
    maker: Callable[..., Call] = namespace["make"]
    return maker

"""Compilation of the recording function of an instrument, specialised for its labels.

As `dataclasses` compiles a constructor, this module compiles ``add``, ``set`` or ``record``. Each
label is a parameter, so the lookup of a series is one dictionary access, and the default of an
omitted label costs nothing. A function with ``**labels`` takes 50 % longer, and several
times as long with an omitted label.
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
    def {method}(_value=None, /, *_positional, {parameters}**_unknown):
        if not (_positional or _unknown):
            try:
                _cells[{values}].{method}(_value)
                return
            except Exception:
                pass
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

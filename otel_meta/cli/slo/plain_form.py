"""Whether the JSON of another program has the form of a ``TypedDict``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import UnionType
from typing import Any, Final, NotRequired, cast, get_args, get_origin, get_type_hints, is_typeddict


def wrong_key(value: object, form: type) -> str | None:
    """Return the first key that a value lacks, or has with another type; None without a mistake.

    A number is finite. Further keys, of a newer program, are no mistake.
    """
    given = cast("dict[str, object]", value) if isinstance(value, dict) else dict[str, object]()
    for key, hint in get_type_hints(form, include_extras=True).items():
        if get_origin(hint) is NotRequired and key not in given:
            continue
        if key not in given or not _is_of(given[key], hint):
            return key
    return None


def _is_of(value: Any, hint: Any) -> bool:
    if is_typeddict(hint):
        return wrong_key(value, hint) is None
    kind, parts = get_origin(hint) or hint, get_args(hint)
    check = _CHECKS.get(kind)
    return isinstance(value, kind) if check is None else check(value, *parts)


def _is_any_of(value: Any, *hints: Any) -> bool:
    return any(_is_of(value, hint) for hint in hints)


def _is_list(value: Any, hint: Any) -> bool:
    return isinstance(value, list) and all(_is_of(e, hint) for e in cast("list[object]", value))


def _is_tuple(value: Any, *hints: Any) -> bool:
    values = cast("list[object]", value) if isinstance(value, list) else []
    return len(values) == len(hints) and all(map(_is_of, values, hints))


def _is_dict(value: Any, key: Any, hint: Any) -> bool:
    return isinstance(value, dict) and all(
        _is_of(k, key) and _is_of(v, hint) for k, v in cast("dict[object, object]", value).items()
    )


def _is_finite(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max


_CHECKS: Final[Mapping[Any, Callable[..., bool]]] = {
    float: _is_finite,
    list: _is_list,
    tuple: _is_tuple,
    dict: _is_dict,
    NotRequired: _is_any_of,
    UnionType: _is_any_of,
}
"""The check of each kind of type, given the value and the parts of the type."""

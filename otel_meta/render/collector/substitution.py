"""A configuration with its variables settled, for readers that do not know them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"

_VARIABLE: Final = re.compile(r"\$\{env:(\w+):-([^}]*)\}")
_WORDS: Final = {"true": True, "false": False}


def settled(config: Value, given: Mapping[str, str]) -> Value:
    """Every variable replaced by what is given for it, or by its default.

    >>> settled({"port": "${env:PORT:-8888}", "to": "${env:HOST:-a}:1"}, {"HOST": "b"})
    {'port': 8888, 'to': 'b:1'}
    """
    match config:
        case dict():
            return {key: settled(value, given) for key, value in config.items()}
        case list():
            return [settled(one, given) for one in config]
        case str():
            return _text(config, given)
        case _:
            return config


def _text(text: str, given: Mapping[str, str]) -> Value:
    replaced = _VARIABLE.sub(lambda found: given.get(found[1], found[2]), text)
    if not _VARIABLE.fullmatch(text):
        return replaced
    return int(replaced) if replaced.isdecimal() else _WORDS.get(replaced, replaced)

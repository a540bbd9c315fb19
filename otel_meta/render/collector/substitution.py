"""Resolves environment variables in a configuration, for programs without this feature."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"

_VARIABLE: Final = re.compile(r"\$\{env:(\w+):-([^}]*)\}")
_BOOLEANS: Final = {"true": True, "false": False}


def resolve_variables(config: Value, environment: Mapping[str, str]) -> Value:
    """Replace every reference ``${env:NAME:-default}`` by the variable's value or the default.

    A number or boolean becomes an int or bool if the reference is the whole text.

    Examples:
        >>> resolve_variables({"port": "${env:PORT:-8888}", "to": "${env:HOST}:1"}, {"HOST": "b"})
        {'port': 8888, 'to': 'b:1'}
    """
    match config:
        case dict():
            return {key: resolve_variables(value, environment) for key, value in config.items()}
        case list():
            return [resolve_variables(item, environment) for item in config]
        case str():
            return _text(config, environment)
        case _:
            return config


def _text(text: str, environment: Mapping[str, str]) -> Value:
    replaced = _VARIABLE.sub(lambda match: environment.get(match[1], match[2]), text)
    if not _VARIABLE.fullmatch(text):
        return replaced
    return int(replaced) if replaced.isdecimal() else _BOOLEANS.get(replaced, replaced)

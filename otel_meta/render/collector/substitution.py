"""Resolves environment variables in a configuration, for programs without this feature."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from .env_variables import FlagReference, NumberReference

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"

_VARIABLE: Final = re.compile(r"\$\{env:(\w+):-([^}]*)\}")
_FLAGS: Final = {"true": True, "false": False}


def resolve_variables(config: Value, environment: Mapping[str, str]) -> Value:
    """Replace every reference ``${env:NAME:-default}`` by the variable's value or the default.

    A `NumberReference` becomes a number, and a `FlagReference` a boolean. Any other value stays
    text, also the text of a number.

    Raises:
        ValueError: The value in a setting of another type is no number.
        KeyError: The value in a setting of another type is neither "true" nor "false".

    Examples:
        >>> resolve_variables({"port": "${env:PORT:-80}", "to": "${env:HOST:-a}:1"}, {"HOST": "b"})
        {'port': '80', 'to': 'b:1'}
    """
    match config:
        case dict():
            return {key: resolve_variables(value, environment) for key, value in config.items()}
        case list():
            return [resolve_variables(item, environment) for item in config]
        case NumberReference():
            return _number(_text(config, environment))
        case FlagReference():
            return _FLAGS[_text(config, environment)]
        case str():
            return _text(config, environment)
        case _:
            return config


def _text(text: str, environment: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: environment.get(match[1], match[2]), text)


def _number(text: str) -> int | float:
    return int(text) if text.isdecimal() else float(text)

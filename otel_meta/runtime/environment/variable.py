"""Environment variables, read by OpenTelemetry's rules: an invalid value warns and falls back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Generic, TypeVar

from .value_kinds import TEXT, Kind, as_text

T = TypeVar("T")
_MAX_SHOWN: Final = 200


@dataclass(frozen=True, eq=False)
class Variable(Generic[T]):
    """A row of the table of variables.

    Args:
        name: the name.
        kind: the kind of the values.
        default: the value if the variable is unset, empty or invalid.
        effect: a description for the documents: the setting, or the reader.
        default_text: a description of the default, if the default is not a constant.
    """

    name: str
    kind: Kind[Any]
    default: T
    effect: str
    default_text: str = ""


class Environment:
    """Environment variables by name; ``warnings`` has a text for each invalid value."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables: Final = variables
        self.warnings: Final[list[str]] = []

    def text(self, name: str) -> str | None:
        """Return the text of a variable, or None if unset or empty."""
        return self.variables.get(name, "").strip() or None

    def is_set(self, *variables: Variable[Any]) -> bool:
        """Return True if one of the variables is set and not empty."""
        return any(self.text(variable.name) for variable in variables)

    def read(self, variable: Variable[T], default: T | None = None) -> T:
        """Return the value of a variable.

        Args:
            variable: a row of the table.
            default: overrides the default of the row.
        """
        used = variable.default if default is None else default
        text = self.text(variable.name)
        if text is None:
            return used
        rejected: list[str] = []
        value: T | None = variable.kind.parse(text, rejected.append)
        for part in rejected:
            self._warn(variable, part, "ignoring it")
        if value is None and not rejected:
            self._warn(variable, text, _instead(used))
        return used if value is None else value

    def _warn(self, variable: Variable[Any], text: str, instead: str) -> None:
        kind = variable.kind
        holds = "a value" if kind.is_secret else repr(clip(text))
        near = get_close_matches(text.lower(), kind.known(), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        self.warnings.append(
            f"{variable.name} holds {holds}, which is not {kind.expected}; {instead}{hint}"
        )


def _instead(used: Any) -> str:
    if used is None:
        return "ignoring it"
    return f"using {used!r}" if isinstance(used, str) else f"using {as_text(used)}"


def clip(text: str) -> str:
    """Return the beginning of a text from outside, for a message."""
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def unread(name: str, effect: str, default_text: str = "none") -> Variable[None]:
    """Return the row of a variable without a value that `configure` checks."""
    return Variable(name, TEXT, None, effect, default_text)

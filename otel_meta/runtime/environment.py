"""Environment variables read by OpenTelemetry's rules: an invalid value warns and falls back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeVar
from urllib.parse import unquote

T = TypeVar("T")

_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_FALSE: Final = frozenset({"false", "0", "no", "off"})


class Environment:
    """Environment variables by name; ``warnings`` has a text for each invalid value."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables: Final = variables
        self.warnings: Final[list[str]] = []

    def text(self, *names: str) -> str | None:
        """Return the first value of these variables; unset and empty variables are skipped."""
        return next((v for n in names if (v := self._variables.get(n, "").strip())), None)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a boolean."""
        text = self.text(name)
        if text is None:
            return default
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        return self._fall_back(name, text, "true or false", default)

    def number(self, *names: str, default: float, minimum: float, maximum: float) -> float:
        """Return a number within bounds, from the first of these variables with a value."""
        name = next((n for n in names if self.text(n)), names[0])
        text = self.text(name)
        if text is None:
            return default
        value = _as_float(text)
        if value is not None and minimum <= value <= maximum:
            return value
        return self._fall_back(name, text, f"a number from {minimum:g} to {maximum:g}", default)

    def choice(self, *names: str, known: Collection[str], default: str) -> str:
        """Return a known word, from the first of these variables with a value."""
        name = next((n for n in names if self.text(n)), names[0])
        text = self.text(name)
        if text is None or text.lower() in known:
            return default if text is None else text.lower()
        return self._fall_back(name, text, f"one of {', '.join(known)}", default)

    def names(
        self, name: str, is_known: Callable[[str], bool], default: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Return the known words of a comma-separated list; the default if none is known."""
        text = self.text(name)
        if text is None:
            return default
        words = tuple(dict.fromkeys(w for part in text.split(",") if (w := part.strip().lower())))
        known = tuple(word for word in words if is_known(word))
        for word in words:
            if word not in known:
                self._fall_back(name, word, "a name that is installed", None)
        return known or default

    def pairs(self, name: str) -> dict[str, str]:
        """Return a comma-separated list of key=value, with percent-decoded values."""
        pairs: dict[str, str] = {}
        for part in filter(None, (self.text(name) or "").split(",")):
            key, equals, value = part.partition("=")
            if key.strip() and equals:
                pairs[key.strip()] = unquote(value.strip())
            else:
                self._fall_back(name, part, "key=value", None)
        return pairs

    def _fall_back(self, name: str, text: str, expected: str, default: T) -> T:
        instead = "ignoring it" if default is None else f"using {default!r}"
        self.warnings.append(f"{name} holds {text!r}, which is not {expected}; {instead}")
        return default


def _as_float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None

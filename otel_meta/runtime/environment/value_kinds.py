"""Kinds of values in environment variables: the check and the conversion of a text.

Source: OpenTelemetry's specification, "Configuration, common": durations are milliseconds, a
timeout of 0 means no limit, only true and false are booleans, and words ignore case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, Generic, TypeVar
from urllib.parse import unquote

T = TypeVar("T")

Reject = Callable[[str], None]
"""Receives each invalid part of a list."""

DAY: Final = 86_400_000
"""Milliseconds; the maximum of durations, and the value of a timeout without a limit."""
MAX_COUNT: Final = 1_000_000_000

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
"""RFC 9110, section 5.6.2."""
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e]*")
_INSTALLED: Final = "a name that is installed"
_HOST_NAME: Final = re.compile(r"[^.\s]{1,63}(\.[^.\s]{1,63})*\.?", re.ASCII)
_MAX_HOST_NAME: Final = 253
"""RFC 1035, section 2.3.4."""
_CERTIFICATE: Final = b"-----BEGIN"


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A kind of values.

    Args:
        expected: a description of valid values, after the words "which is not".
        parse: returns the value of a text, or None if the text is invalid. A list calls `Reject`
            for each invalid part.
        is_secret: True if values must not be in messages.
        known: returns the valid words, if there are only a few.
    """

    expected: str
    parse: Callable[[str, Reject], T | None]
    is_secret: bool = False
    known: Callable[[], Iterable[str]] = tuple


def _flag(text: str, _reject: Reject) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


TEXT: Final[Kind[str]] = Kind("a text", lambda text, _reject: text)
FLAG: Final = Kind("true or false", _flag)


def number(minimum: float, maximum: float) -> Kind[float]:
    """Return the kind of numbers from minimum to maximum."""

    def parse(text: str, _reject: Reject) -> float | None:
        value = float(text) if _NUMBER.fullmatch(text) else None
        return value if value is not None and minimum <= value <= maximum else None

    return Kind(f"a number from {minimum:g} to {maximum:g}", parse)


def whole_number(minimum: int, maximum: int, unit: str = "") -> Kind[int]:
    """Return the kind of whole numbers from minimum to maximum."""

    def parse(text: str, _reject: Reject) -> int | None:
        value = int(text) if _WHOLE_NUMBER.fullmatch(text) else None
        return value if value is not None and minimum <= value <= maximum else None

    return Kind(f"a whole number{unit} from {minimum} to {maximum}", parse)


DURATION: Final = whole_number(1, DAY, " of milliseconds")


def _timeout(text: str, reject: Reject) -> int | None:
    value = _TIMEOUT_RANGE.parse(text, reject)
    return DAY if value == 0 else value


_TIMEOUT_RANGE: Final = whole_number(0, DAY, " of milliseconds")
TIMEOUT: Final = Kind(_TIMEOUT_RANGE.expected, _timeout)
"""A duration; 0 means no limit."""


def choice(*words: str) -> Kind[str]:
    """Return the kind of a single word among known words."""

    def parse(text: str, _reject: Reject) -> str | None:
        return text.lower() if text.lower() in words else None

    return Kind(f"one of {', '.join(words)}", parse, known=lambda: words)


def names(
    is_known: Callable[[str], bool], expected: str, known: Callable[[], Iterable[str]] = tuple
) -> Kind[tuple[str, ...]]:
    """Return the kind of comma-separated names, in lower case and without repetitions."""

    def parse(text: str, reject: Reject) -> tuple[str, ...] | None:
        words = dict.fromkeys(w for part in text.split(",") if (w := part.strip().lower()))
        valid = tuple(word for word in words if is_known(word))
        for word in words:
            if word not in valid:
                reject(word)
        return valid or None

    return Kind(expected, parse, known=known)


def is_installed(group: str, name: str) -> bool:
    """Return True if a package has an entry point of this name."""
    return bool(entry_points(group=group, name=name))


def installed(group: str, *builtin: str) -> Kind[tuple[str, ...]]:
    """Return the kind of comma-separated names of entry points."""
    return names(
        lambda name: name in builtin or is_installed(group, name),
        _INSTALLED,
        lambda: _installed_names(group, builtin),
    )


def installed_name(group: str, *builtin: str) -> Kind[str]:
    """Return the kind of a single name of an entry point."""

    def parse(text: str, _reject: Reject) -> str | None:
        return text if text in builtin or is_installed(group, text) else None

    return Kind(
        f"one of {', '.join(builtin)}, or {_INSTALLED}" if builtin else _INSTALLED,
        parse,
        known=lambda: _installed_names(group, builtin),
    )


def _installed_names(group: str, builtin: Iterable[str]) -> Iterable[str]:
    return (*builtin, *(entry.name for entry in entry_points(group=group)))


def _pairs(text: str, reject: Reject) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in filter(str.strip, text.split(",")):
        key, equals, value = part.partition("=")
        if key.strip() and equals:
            pairs[unquote(key.strip())] = unquote(value.strip())
        else:
            reject(part)
    return pairs


PAIRS: Final = Kind("key=value", _pairs)


def _headers(text: str, reject: Reject) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in _pairs(text, reject).items():
        if _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value):
            headers[name.lower()] = value
        else:
            reject(name)
    return headers


HEADERS: Final = Kind("name=value with printable characters", _headers, is_secret=True)


def _patterns(text: str, reject: Reject) -> tuple[str, ...] | None:
    patterns: list[str] = []
    for pattern in filter(None, map(str.strip, text.split(","))):
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError):
            reject(pattern)
        else:
            patterns.append(pattern)
    return tuple(patterns) or None


PATTERNS: Final = Kind("a regular expression", _patterns)


def is_host(text: str) -> bool:
    """Return True if a text can be an address or the name of a host."""
    return len(text) <= _MAX_HOST_NAME and _HOST_NAME.fullmatch(text) is not None


HOST: Final[Kind[str]] = Kind(
    "an address or the name of a host", lambda text, _reject: text if is_host(text) else None
)


def _file(text: str, _reject: Reject) -> str | None:
    try:
        return text if _CERTIFICATE in Path(text).read_bytes() else None
    except (OSError, ValueError):
        return None


FILE: Final = Kind("a readable file in PEM format", _file)


def as_text(value: float | str | tuple[str, ...]) -> str:
    """Return the text of a checked value, as libraries read it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)

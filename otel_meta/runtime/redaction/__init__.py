"""The one policy for secrets: what spans, log lines, records and the web engine show of a value.

A name tells most secrets: the value of a field, an attribute, a parameter or a header with such a
name is replaced as a whole. In texts, the parts are replaced that look like a secret. Texts that
are searched: exceptions, status messages, messages of log lines, and values with a URL. A further
text is left as it is, because a search costs more than the line around the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeGuard

from otel_meta.secret_patterns import (
    URL_ATTRIBUTES,
    TextPattern,
    name_patterns,
    text_patterns,
)

REDACTED: Final = "REDACTED"
MAX_QUERY: Final = 2_048
"""Maximum number of bytes of a query string that are read."""
MAX_PARAMETERS: Final = 64
"""Maximum number of parameters of a query string."""

_HEADER_NAMES: Final = (
    *("auth", "cookie", "credential", "key", "passphrase", "passw"),
    *("secret", "session", "signature", "token"),
)
"""Parts of the names of headers with secret values: a header is captured for its name alone."""
_SEARCHED: Final = frozenset({"exception.message", "exception.stacktrace", "error.message"})
"""Attributes whose texts are searched, and with underscores the fields."""
_CACHED_NAMES: Final = 1_024
_SEPARATOR: Final = re.compile("[._-]")
_WORD_BOUNDARY: Final = re.compile("(?<=[a-z0-9])(?=[A-Z])")

Rule = Callable[[Any], Any]
"""Returns a redacted value."""


class Redaction:
    """The policy of a process.

    Args:
        enabled: False leaves everything as it is, except for `redact_query`.
        names: further names of secrets, such as ``iban``.
        headers: patterns of further names of headers with secret values.
    """

    def __init__(
        self, names: Iterable[str] = (), headers: Sequence[str] = (), *, enabled: bool = True
    ) -> None:
        self.enabled: Final = enabled
        words = [_SEPARATOR.split(name.lower()) for name in names]
        further = ["[._-]?".join(map(re.escape, each)) for each in words]
        signs = [each[-1] for each in words]
        self._names: Final = [re.compile(_python(each)) for each in name_patterns(further)]
        self._header: Final = re.compile("|".join((*_HEADER_NAMES, *headers)), re.IGNORECASE)
        self._texts: Final = (
            tuple(map(_replacement, text_patterns(further, signs))) if enabled else ()
        )
        self.rules: Final[Mapping[str, Rule | None]] = _Rules(self._rule_of)
        """How to redact the value of a field or attribute, by any name; None for most names."""

    def url(self, url: str) -> str:
        """Return a URL without credentials, values of parameters and fragment."""
        address, mark, query = url.partition("#")[0].partition("?")
        parameters = redact_query(query.encode("latin-1", "replace"))
        return f"{self.text(address)}{mark}{parameters}"

    def header(self, name: str, values: list[str]) -> list[str]:
        """Return the values of a header, redacted; a secret is one value."""
        if self.enabled and self._header.search(name):
            return [REDACTED]
        return [self.text(value) for value in values]

    def text(self, text: str) -> str:
        """Return a text with REDACTED for each part that looks like a secret."""
        lowered = text.lower()
        for each in self._texts:
            for sign, is_found in each.signs:  # a comprehension would take twice as long
                if sign in lowered and is_found(lowered):
                    text = each.pattern.sub(each.shown, text)
                    break
        return text

    def message(self, text: str) -> str:
        """Return the message of a log line or a span's name, as `text` does, at a lower cost.

        A secret without a colon, an equals sign or the start of a token beside is left.
        """
        if "=" in text or ":" in text or "eyJ" in text or "earer " in text:
            return self.text(text)
        return text

    def attributes(self, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the attributes themselves, or redacted attributes if one has a secret."""
        changed: dict[str, Any] = {}
        rules = self.rules
        for key, value in attributes.items():
            rule = rules[key]
            if rule is not None:
                changed[key] = rule(value)
            elif type(value) is str:
                if "://" in value:
                    changed[key] = self.text(value)
            elif _are_texts(value):
                changed[key] = tuple(map(self.message, value))
        if not changed or changed.items() <= attributes.items():
            return attributes
        return {**attributes, **changed}

    def _rule_of(self, name: str) -> Rule | None:
        attribute = name.replace("_", ".")
        if attribute == "url.query":
            return _of_text(lambda text: redact_query(text.encode("latin-1", "replace")))
        if not self.enabled:
            return None
        if attribute in URL_ATTRIBUTES:
            return _of_text(self.url)
        if attribute in _SEARCHED:
            return _of_text(self.text)
        return _hidden if self._is_secret(name) else None

    def _is_secret(self, name: str) -> bool:
        parted = _WORD_BOUNDARY.sub("_", name)
        return any(pattern.search(parted) for pattern in self._names)


def _are_texts(value: Any) -> TypeGuard[tuple[str, ...]]:
    """Return True for a list of texts, as the SDK keeps it."""
    match value:
        case (str(), *_):
            return True
        case _:
            return False


def _hidden(value: Any) -> Any:
    """Return what stands for a secret; nothing, None and booleans stay."""
    return REDACTED if value and type(value) is not bool else value


def _of_text(redact: Callable[[str], str]) -> Rule:
    def rule(value: Any) -> Any:
        return redact(value) if isinstance(value, str) else value

    return rule


class _Rules(dict[str, Rule | None]):
    """The rules of the names seen so far, which are found faster than by a function."""

    def __init__(self, rule_of: Callable[[str], Rule | None]) -> None:
        self._rule_of: Final = rule_of

    def __missing__(self, name: str) -> Rule | None:
        if len(self) >= _CACHED_NAMES:  # names from outside
            self.clear()
        rule = self[name] = self._rule_of(name)
        return rule


class _Replacement(NamedTuple):
    pattern: re.Pattern[str]
    shown: str
    signs: tuple[tuple[str, Callable[[str], object]], ...]


def _replacement(text: TextPattern) -> _Replacement:
    new = rf"(?!\s*{REDACTED}\b)"  # what is redacted already stays, with the text behind it
    pattern = f"{text.flags}({text.before}){new}{text.secret}({text.after})"
    signs = tuple(
        (sign, re.compile(f"{re.escape(sign)}{text.sign_ends}").search) for sign in text.signs
    )
    return _Replacement(re.compile(_python(pattern)), rf"\g<1>{REDACTED}\g<2>", signs)


def _python(pattern: str) -> str:
    r"""Return a pattern for Python before 3.14, which writes the end of a text as ``\Z``."""
    return pattern.replace(r"\z", r"\Z")


def redact_query(query: bytes) -> str:
    """Return a query string with REDACTED for each value; the names stay.

    No setting shows the values: it is callers who choose them.
    """
    if not query:
        return ""
    parts = query[:MAX_QUERY].decode("latin-1").split("&", MAX_PARAMETERS)
    return "&".join([_parameter(part) for part in parts[:MAX_PARAMETERS]])


def _parameter(part: str) -> str:
    """Return a parameter with its name alone; a part without a name is a value."""
    name, equals, _ = part.partition("=")
    return f"{name}={REDACTED}" if equals else REDACTED


DEFAULT: Final = Redaction()
"""The policy without settings."""

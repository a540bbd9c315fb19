"""Parsing of PromQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import promql_parser

_LONGEST: Final = 20_000
"""Characters of the longest expression; parsing time grows with the square of the depth."""

_TOKEN: Final = re.compile(
    r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|\#[^\n]*|[\w:.]+|\S""", re.DOTALL
)
_RANGE_MODIFIERS: Final = frozenset({"anchored", "smoothed"})
_BEFORE_AN_OPERAND: Final = frozenset(
    """
    and or unless atan2 bool by without on ignoring group_left group_right offset
    """.split()  # noqa: SIM905 - one line of words reads better than a list
)
"""Words after which `anchored` is the name of a metric."""


class NotPromQL(ValueError):
    """The expression cannot be parsed; the message gives the reason."""


def parse(text: str) -> promql_parser.Expr:
    """Parse an expression.

    Raises:
        NotPromQL: the text is not PromQL, or is too long.
    """
    if len(text) > _LONGEST:
        raise NotPromQL(f"it has more than {_LONGEST} characters")
    try:
        return promql_parser.parse(without_range_modifiers(text))
    except (ValueError, RecursionError) as error:
        raise NotPromQL(str(error)) from error


def without_range_modifiers(text: str) -> str:
    """Replace each ``anchored`` and ``smoothed`` by spaces, so that positions stay unchanged.

    The modifiers change how Prometheus counts over a range, and neither names nor labels. The
    parser does not know the modifiers yet. Prometheus checks where a modifier is allowed.

    Examples:
        >>> without_range_modifiers("increase(x[1h] anchored)")
        'increase(x[1h]         )'
    """
    for found in reversed(list(_range_modifiers(text))):
        text = text[: found.start()] + " " * len(found[0]) + text[found.end() :]
    return text


def _range_modifiers(text: str) -> Iterator[re.Match[str]]:
    """Yield the modifiers: the words that follow a selector, or ``@ end()``."""
    before, last = "", ""
    for found in _TOKEN.finditer(text):
        token = found[0].lower()
        if token.startswith("#"):
            continue
        if token in _RANGE_MODIFIERS and _ends_a_selector(before, last):
            yield found
        before, last = last, token


def _ends_a_selector(before: str, last: str) -> bool:
    if last == ")":
        return before == "("
    is_word = last.replace(":", "_").replace(".", "_").isidentifier() or last[:1].isdigit()
    return last in {"]", "}"} or (is_word and last not in _BEFORE_AN_OPERAND)

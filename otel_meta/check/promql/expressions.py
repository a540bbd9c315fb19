"""Parsing of PromQL."""

from __future__ import annotations

from typing import Final

import promql_parser

_LONGEST: Final = 20_000
"""Characters of the longest expression; parsing time grows with the square of the depth."""


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
        return promql_parser.parse(text)
    except (ValueError, RecursionError) as error:
        raise NotPromQL(str(error)) from error

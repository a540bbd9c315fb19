"""PromQL text as an expression."""

from __future__ import annotations

from typing import Final

import promql_parser

_LONGEST: Final = 20_000
"""Characters; nobody writes so many, and the parser's time grows with the square of the depth."""


class NotPromQL(ValueError):
    """An expression that cannot be parsed; the message says why."""


def parse(text: str) -> promql_parser.Expr:
    """An expression as a tree.

    Raises:
        NotPromQL: it is none.
    """
    if len(text) > _LONGEST:
        raise NotPromQL(f"it has more than {_LONGEST} characters")
    try:
        return promql_parser.parse(text)
    except (ValueError, RecursionError) as error:
        raise NotPromQL(str(error)) from error

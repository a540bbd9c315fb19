"""Texts of the catalogue in dashboards, where a dollar sign would name a variable."""

from __future__ import annotations

import re
from typing import Final

_VARIABLE: Final = re.compile(r"\$(?=[\w{])|\[(?=\[)")
_WORD_JOINER: Final = "\u2060"
"""An invisible character; Grafana has no escape for the sign of a variable."""


def literal(text: str) -> str:
    """Return a text in which Grafana replaces nothing: ``$x``, ``${x}`` and ``[[x]]`` stay."""
    return _VARIABLE.sub(lambda sign: f"{sign[0]}{_WORD_JOINER}", text)

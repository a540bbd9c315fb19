"""Regular expressions in matchers: alternatives and matching values.

Prometheus uses RE2. A pattern is assumed to match every value if Python cannot compile the
pattern: the check never rejects a valid pattern.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Final

from .values import ANY, PRESENT, Values, one_of

_STEPS: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]])*\]|.", re.DOTALL)
"""One step through a pattern: an escape, a class, or a character."""
_DEPTH: Final = {"(": 1, ")": -1}
_LITERAL: Final = re.compile(r"(?:[^\\.+*?()|\[\]{}^$]|\\[\\.+*?()|\[\]{}^$-])*")
_ESCAPED: Final = re.compile(r"\\(.)")


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return a test that is true if the whole value matches."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about syntax whose meaning may change in Python
            compiled = re.compile(pattern, re.DOTALL)
    except (re.error, OverflowError, RecursionError):
        return lambda _: True
    return lambda value: compiled.fullmatch(value) is not None


def alternatives(pattern: str) -> list[str]:
    """Return the parts between the outermost bars: ``a|b`` and ``^(a|b)$`` are a and b."""
    parts, depth = [""], 0
    for step in _STEPS.findall(pattern):
        depth += _DEPTH.get(step, 0)
        if step == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += step
    inner = _unwrapped(pattern) if len(parts) == 1 else pattern
    return parts if inner == pattern else alternatives(inner)


def matched_values(pattern: str) -> Values:
    """Return the values of a pattern, or a superset if the values cannot be listed."""
    parts = alternatives(pattern)
    if all(map(_LITERAL.fullmatch, parts)):
        return one_of(_ESCAPED.sub(r"\1", part) for part in parts)
    return ANY if matcher(pattern)("") else PRESENT


def excluded_values(pattern: str) -> Values:
    """Return all other values, or a superset if the values cannot be listed."""
    listed = matched_values(pattern)
    if not listed.all_but:
        return ~listed
    return PRESENT if matcher(pattern)("") else ANY


def _unwrapped(pattern: str) -> str:
    """Remove the anchors, or else the group, around the whole pattern."""
    inner = pattern.removeprefix("^").removesuffix("$") if pattern[-2:] != "\\$" else pattern
    if inner != pattern or not (inner.startswith("(") and inner.endswith(")")):
        return inner
    depth = 0
    for at, step in enumerate(steps := _STEPS.findall(inner)):
        depth += _DEPTH.get(step, 0)
        if depth == 0 and at < len(steps) - 1:
            return pattern
    body = inner[1:-1].removeprefix("?:")
    return pattern if body.startswith("?") else body

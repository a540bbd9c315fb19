"""What a check says: where, what is wrong, and the nearest right name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal

Kind = Literal[
    "file",  # cannot be read, or is no rule file
    "expression",  # is no PromQL
    "metric",  # nobody declares the metric
    "recording",  # no rule records the series
    "label",  # the series has no such label
    "value",  # the label never has such a value
    "selector",  # no series has all these values at once
    "function",  # a counter's function over a gauge, or the other way round
    "join",  # the two sides never match
    "template",  # an annotation shows a label that the alert has not
]

_CLOSE_ENOUGH: Final = 0.6


@dataclass(frozen=True)
class Problem:
    """Something wrong in one expression."""

    kind: Kind
    wrong: str
    nearest: str = ""
    """The right name that looks most like the wrong one; empty if none does."""


@dataclass(frozen=True)
class Finding:
    """A problem, and the rule that has it; group and rule are empty for a whole file."""

    file: str
    group: str
    rule: str
    problem: Problem

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.file, self.group, self.rule) if part)
        mend = f"; did you mean {self.problem.nearest}?" if self.problem.nearest else ""
        # Names come from files, where they may hold anything; a finding is one line.
        return " ".join(f"{where}: {self.problem.wrong}{mend}".split())


def nearest(wrong: str, right: Iterable[str]) -> str:
    """The name that looks most like a wrong one; empty if none does."""
    found = get_close_matches(wrong, sorted(right), n=1, cutoff=_CLOSE_ENOUGH)
    return found[0] if found else ""

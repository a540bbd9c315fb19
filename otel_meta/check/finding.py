"""Findings of the check: the place, the mistake and the nearest correct name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DiagnosticKind = Literal[
    "file",  # the file cannot be read, or is not a rule file
    "expression",  # the expression is not PromQL
    "metric",  # no metric of this name is declared
    "recording",  # no rule records the series
    "label",  # the series has no such label
    "value",  # the label never has such a value
    "selector",  # no series has all these values at once
    "function",  # a counter's function over a gauge, or a gauge's function over a counter
    "join",  # the two sides never match
    "template",  # an annotation shows a label that the alert does not have
]


@dataclass(frozen=True)
class Diagnostic:
    """A mistake in an expression."""

    kind: DiagnosticKind
    message: str
    suggestion: str = ""
    """The most similar correct name; empty if no name is similar."""


@dataclass(frozen=True)
class Finding:
    """A diagnostic with its place; group and rule are empty for a whole file."""

    file: str
    group: str
    rule: str
    diagnostic: Diagnostic

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.file, self.group, self.rule) if part)
        suggestion = self.diagnostic.suggestion
        question = f"; did you mean {suggestion}?" if suggestion else ""
        # Names in a file may contain newlines; a finding is one line.
        return " ".join(f"{place}: {self.diagnostic.message}{question}".split())

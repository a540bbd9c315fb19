"""Findings of the check: the place, the mistake and the nearest correct name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

DiagnosticKind = Literal[
    "declaration",
    "file",
    "expression",
    "metric",
    "recording",
    "label",
    "value",
    "selector",
    "function",
    "join",
    "template",
]

MEANINGS: Final[Mapping[DiagnosticKind, str]] = MappingProxyType(
    {
        "declaration": "A declaration of the catalogue is invalid, or in conflict with another.",
        "file": "The file cannot be read, or is not a rule file.",
        "expression": "The expression is not PromQL.",
        "metric": "No metric of this name is declared.",
        "recording": "No rule records the series.",
        "label": "The series has no such label.",
        "value": "The label never has such a value.",
        "selector": "No series has all these values at once.",
        "function": "A function of counters over a gauge, or a function of gauges over a counter.",
        "join": "The two sides never match.",
        "template": "Prometheus cannot expand the text of the alert as intended.",
    }
)
"""The meaning of each kind, in one sentence."""


class Place(NamedTuple):
    """A line and a column, both counted from 1; 0 if unknown."""

    line: int = 0
    column: int = 0


UNKNOWN_PLACE: Final = Place()


@dataclass(frozen=True)
class Diagnostic:
    """A mistake in an expression."""

    kind: DiagnosticKind
    message: str
    suggestion: str = ""
    """The most similar correct name; empty if no name is similar."""
    part: str = field(default="", compare=False)
    """The wrong part of the text, by which its place is found; empty for the whole text."""

    @property
    def sentence(self) -> str:
        """The message with the suggestion, on one line."""
        question = f"; did you mean {self.suggestion}?" if self.suggestion else ""
        return " ".join(f"{self.message}{question}".split())


@dataclass(frozen=True)
class Finding:
    """A diagnostic with its place; group and rule are empty for a whole file."""

    file: str
    group: str
    rule: str
    diagnostic: Diagnostic
    place: Place = UNKNOWN_PLACE

    @property
    def subject(self) -> str:
        """The group, the rule and the mistake, on one line."""
        parts = (self.group, self.rule, self.diagnostic.sentence)
        # Names in a file may contain newlines; a finding is one line.
        return " ".join(": ".join(filter(None, parts)).split())

    def __str__(self) -> str:
        place = f"{self.file}:{self.place.line}" if self.place.line else self.file
        return " ".join(": ".join(filter(None, (place, self.subject))).split())

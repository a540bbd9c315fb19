"""Every name in the committed rules, changed by one character, has to be found.

Changed are, each time that they occur: the metric of a selector, the labels in its matchers and
in the lists behind ``by``, ``on`` and their like, and each value that a matcher asks for, ``le``
among them. Out of reach, and left alone, are the names and labels that a rule gives to what it
records: they make a new series, which is nobody's mistake until somebody reads it. Values of open
labels would be out of reach as well (a route may be called anything); no rule asks for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from string import ascii_lowercase, digits
from typing import Any, NamedTuple

import promql_parser
import pytest

from otel_meta.check.foreign_series import PREFIXES
from otel_meta.check.known_series import KnownSeries
from otel_meta.check.rule_files import Rule
from otel_meta.check.rule_lint import findings_of, known_series_of
from otel_meta.repos import BUILTIN

OPEN_VALUES = {"repeated"}
"""Values of open labels that rules ask for."""
VALUE = re.compile(r'\b\w+(?:=~|!=|!~|=)"([^"]+)"')
PART = re.compile(r"[\w.-]+(?=\||\(|$)")


class Mutant(NamedTuple):
    """A rule with one changed character, and the original text."""

    kind: str
    was: str
    rule: Rule

    @property
    def key(self) -> tuple[str, str, str]:
        """A key that is equal for equal changes: rules of one name have expressions of one form."""
        return (self.kind, self.was, self.rule.record or self.rule.alert)


def named(expr: str) -> set[tuple[str, str]]:
    """Return the metrics and labels in an expression."""
    found: set[tuple[str, str]] = set()

    def visit(node: Any) -> None:
        selector = getattr(node, "vector_selector", node)
        if isinstance(selector, promql_parser.VectorSelector):
            found.add(("metric", str(selector.name)))
            found.update(("label", matcher.name) for matcher in selector.matchers.matchers)
        modifier = getattr(node, "modifier", None)
        listed = getattr(modifier, "matching", modifier)
        found.update(("label", label) for label in getattr(listed, "labels", ()))
        found.update(("label", label) for label in getattr(modifier, "group_labels", None) or ())

    promql_parser.walk(promql_parser.parse(expr), visit)
    return found


def spans(expr: str) -> Iterator[tuple[str, int, int]]:
    """Yield the position of each metric, label and value in an expression."""
    for kind, text in sorted(named(expr)):
        for found in re.finditer(rf'(?<![\w:."-]){text}(?![\w:"-])', expr):
            yield kind, *found.span()
    for found in VALUE.finditer(expr):
        for part in PART.finditer(expr, *found.span(1)):
            yield "value", *part.span()


def changed(text: str) -> str:
    """Change the middle character to another letter or digit."""
    at = len(text) // 2
    at = next(i for i in (*range(at, len(text)), *range(at)) if text[i].isalnum())
    among = digits if text[at].isdigit() else ascii_lowercase
    other = among[(among.find(text[at].lower()) + 3) % len(among)]
    return text[:at] + other + text[at + 1 :]


def mutants(rule: Rule) -> Iterator[Mutant]:
    """Yield the rule with each of its names changed once."""
    for kind, begin, end in spans(rule.expr):
        was = rule.expr[begin:end]
        expr = rule.expr[:begin] + changed(was) + rule.expr[end:]
        yield Mutant(kind, was, replace(rule, expr=expr))


@pytest.fixture(scope="module")
def known(committed: list[Rule]) -> KnownSeries:
    """Return the series that committed rules may read."""
    return known_series_of(BUILTIN, committed)


def is_foreign(rule: Rule) -> bool:
    """Return True for a rule that reads series of another program, whose names are unknown."""
    metrics = {text for kind, text in named(rule.expr) if kind == "metric"}
    return any(name.startswith(tuple(PREFIXES)) for name in metrics)


@pytest.fixture(scope="module")
def own(committed: list[Rule]) -> list[Rule]:
    """Return the committed rules about series of the catalogue."""
    return [rule for rule in committed if not is_foreign(rule)]


@pytest.fixture(scope="module")
def all_mutants(own: list[Rule]) -> list[Mutant]:
    """Return every mutant of the committed rules, without repetition."""
    found = {m.key: m for rule in own for m in mutants(rule)}
    return [mutant for mutant in found.values() if mutant.was not in OPEN_VALUES]


def test_every_change_of_one_character_is_found(
    all_mutants: list[Mutant], known: KnownSeries
) -> None:
    """Every change of one character is found."""
    missed = [
        (m.kind, m.was, m.rule.expr) for m in all_mutants if not [*findings_of([m.rule], known)]
    ]

    assert [] == missed


def test_every_metric_label_and_value_of_rules_is_changed(
    own: list[Rule], all_mutants: list[Mutant]
) -> None:
    """Every metric, label and value of the rules is changed by a mutant."""
    changes = {(mutant.kind, mutant.was) for mutant in all_mutants}
    names = {name for rule in own for name in named(rule.expr)}
    asked = {text for rule in own for text in VALUE.findall(rule.expr)}
    values = {part for text in asked for part in PART.findall(text)} - OPEN_VALUES

    assert names | {("value", value) for value in values} == changes


@pytest.mark.parametrize(
    ("was", "becomes"), [("abc", "aec"), ("0.1", "0.4"), ("1", "4"), ("a:b", "a:e"), ("x", "a")]
)
def test_change_replaces_one_character(was: str, becomes: str) -> None:
    """A change replaces one character."""
    assert becomes == changed(was)

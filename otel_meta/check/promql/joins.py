"""Vector matching: the series types in the result of an operator with two vectors.

Prometheus matches series with equal labels, except the name, or with equal labels in ``on``, or
with equal labels except ``ignoring``. If a label has different constant values on the two sides, no
pair matches, and Prometheus reports nothing: the expression parses, the rule loads, and the alert
never fires.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from promql_parser import BinaryExpr, LabelModifierType, VectorMatchCardinality

from otel_meta.check.finding import Diagnostic

from .label_checks import unknown_labels
from .series_type import NAME, SeriesType, Vector, vector_of
from .vector_selectors import Report

_SET_OPERATORS: Final = frozenset({"and", "or", "unless"})


@dataclass(frozen=True)
class _Matching:
    """The labels by which series match."""

    on: bool
    labels: tuple[str, ...]
    include: tuple[str, ...]
    """Labels in ``group_left`` or ``group_right``, copied from the "one" side."""
    swapped: bool
    """True for ``group_right``, with the "many" side on the right."""
    grouped: bool
    filled: bool
    """True if ``fill`` provides a partner for series without a match."""

    def between(self, left: SeriesType, right: SeriesType) -> set[str]:
        """Return the labels that must be equal."""
        if self.on:
            return set(self.labels)
        return {*left.labels, *right.labels} - {*self.labels, NAME}

    def reduced(self, series: SeriesType) -> SeriesType:
        """Return the labels of a result in one-to-one matching."""
        return series.only(self.labels) if self.on else series.without(self.labels)


def join(expr: BinaryExpr, left: Vector, right: Vector, report: Report) -> Vector:
    """Return the series types of an operator's result; report sides without a possible match."""
    operator, matching = str(expr.op), _matching_of(expr)
    diagnostics = list(_unknown_labels(matching, left, right))
    pairs = list(product(left, right))
    matches = [pair for pair in pairs if not _conflicts(matching, *pair)]
    if not (matches or diagnostics or matching.filled or operator == "or"):
        diagnostics = [_never(operator, matching, pairs)]
    for diagnostic in diagnostics:
        report(diagnostic)
    if operator in _SET_OPERATORS:
        return _set_operation(operator, matching, left, right, matches)
    return vector_of(_combined(matching, *pair) for pair in matches)


def _matching_of(expr: BinaryExpr) -> _Matching:
    modifier = expr.modifier
    if modifier is None:
        return _Matching(False, (), (), False, False, False)
    by, fill = modifier.matching, modifier.fill_values
    return _Matching(
        on=by is not None and by.type == LabelModifierType.Include,
        labels=tuple(by.labels) if by is not None else (),
        include=tuple(modifier.group_labels or ()),
        swapped=modifier.card == VectorMatchCardinality.OneToMany,
        grouped=modifier.card
        in (VectorMatchCardinality.OneToMany, VectorMatchCardinality.ManyToOne),
        filled=fill.lhs is not None or fill.rhs is not None,
    )


def _unknown_labels(matching: _Matching, left: Vector, right: Vector) -> Iterator[Diagnostic]:
    """Report missing labels; a label in ``ignoring`` may be missing on one side."""
    if matching.on:
        yield from unknown_labels(matching.labels, left, "the left side of the join")
        yield from unknown_labels(matching.labels, right, "the right side of the join")
    else:
        yield from unknown_labels(matching.labels, left + right, "either side of the join")
    one = left if matching.swapped else right
    yield from unknown_labels(matching.include, one, "the side of one series")


def _conflicts(matching: _Matching, left: SeriesType, right: SeriesType) -> list[str]:
    """Return the labels in which two series can never be equal."""
    return [
        label
        for label in sorted(matching.between(left, right))
        if not left.values(label) & right.values(label)
    ]


def _never(
    operator: str, matching: _Matching, pairs: list[tuple[SeriesType, SeriesType]]
) -> Diagnostic:
    """Return the reason why no pair matches, from the pair with the fewest conflicts."""
    left, right = min(pairs, key=lambda pair: len(_conflicts(matching, *pair)))
    different = _conflicts(matching, left, right)
    reasons = ", ".join(
        f"{label} is {left.values(label)} on the left and {right.values(label)} on the right"
        for label in different
    )
    advice = "leave it out of on" if matching.on else f"add ignoring ({', '.join(different)})"
    return Diagnostic(
        "join", f"the two sides of {operator} never match: {reasons}; {advice}, or join others"
    )


def _set_operation(
    operator: str,
    matching: _Matching,
    left: Vector,
    right: Vector,
    matches: list[tuple[SeriesType, SeriesType]],
) -> Vector:
    if operator == "or":
        return vector_of(left + right)
    if operator == "unless":
        return left
    return vector_of(_equal(matching, *pair) for pair in matches)


def _combined(matching: _Matching, left: SeriesType, right: SeriesType) -> SeriesType:
    """Return the result of a pair in arithmetic or a comparison."""
    many, one = (right, left) if matching.swapped else (left, right)
    equal = _equal(matching, many, one).of_metric_type("")
    if matching.grouped:
        return equal.having({label: one.values(label) for label in matching.include})
    return matching.reduced(equal)


def _equal(matching: _Matching, left: SeriesType, right: SeriesType) -> SeriesType:
    """Return the left series, with the label values common to both sides."""
    between = matching.between(left, right)
    return left.having({label: left.values(label) & right.values(label) for label in between})

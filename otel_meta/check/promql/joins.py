"""Two vectors joined by an operator: whether any of their series can meet, and what comes of it.

Prometheus joins series whose labels are equal, all of them but the name, unless ``on`` or
``ignoring`` says otherwise. What differs in a constant never meets, and nothing tells: the
expression parses, the rule loads, and the alert stays silent for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

from promql_parser import BinaryExpr, LabelModifierType, VectorMatchCardinality

from otel_meta.check.finding import Problem

from .label_checks import unknown
from .shape import NAME, Shape, Vector, vector_of
from .vector_selectors import Report

_SET_OPERATORS: Final = frozenset({"and", "or", "unless"})


@dataclass(frozen=True)
class _Matching:
    """By which labels series meet."""

    on: bool
    labels: tuple[str, ...]
    include: tuple[str, ...]
    """Labels that ``group_left`` or ``group_right`` takes from the side of which there is one."""
    swapped: bool
    """Whether it is ``group_right``, with many series on the right."""
    grouped: bool
    filled: bool
    """Whether a series without a partner is given one."""

    def between(self, left: Shape, right: Shape) -> set[str]:
        """The labels that have to be equal."""
        if self.on:
            return set(self.labels)
        return {*left.labels, *right.labels} - {*self.labels, NAME}

    def kept(self, shape: Shape) -> Shape:
        """What is left of a series that meets one other."""
        return shape.only(self.labels) if self.on else shape.without(self.labels)


def join(expr: BinaryExpr, left: Vector, right: Vector, report: Report) -> Vector:
    """The series that two sides can give together; what can never meet is reported."""
    operator, matching = str(expr.op), _matching_of(expr)
    problems = list(_unknown_labels(matching, left, right))
    pairs = list(product(left, right))
    meeting = [pair for pair in pairs if not _conflicts(matching, *pair)]
    if not (meeting or problems or matching.filled or operator == "or"):
        problems = [_never(operator, matching, pairs)]
    for problem in problems:
        report(problem)
    if operator in _SET_OPERATORS:
        return _set_operation(operator, matching, left, right, meeting)
    return vector_of(_met(matching, *pair) for pair in meeting)


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


def _unknown_labels(matching: _Matching, left: Vector, right: Vector) -> Iterator[Problem]:
    """Labels by which to join that are not there; ``ignoring`` what one side lacks is well."""
    if matching.on:
        yield from unknown(matching.labels, left, "the left side of the join")
        yield from unknown(matching.labels, right, "the right side of the join")
    else:
        yield from unknown(matching.labels, left + right, "either side of the join")
    one = left if matching.swapped else right
    yield from unknown(matching.include, one, "the side of one series")


def _conflicts(matching: _Matching, left: Shape, right: Shape) -> list[str]:
    """Labels in which two series can never be equal."""
    return [
        label
        for label in sorted(matching.between(left, right))
        if not left.values(label) & right.values(label)
    ]


def _never(operator: str, matching: _Matching, pairs: list[tuple[Shape, Shape]]) -> Problem:
    """Say why no pair meets, by the pair that comes nearest to it."""
    left, right = min(pairs, key=lambda pair: len(_conflicts(matching, *pair)))
    apart = _conflicts(matching, left, right)
    reasons = ", ".join(
        f"{label} is {left.values(label)} on the left and {right.values(label)} on the right"
        for label in apart
    )
    mend = "leave it out of on" if matching.on else f"add ignoring ({', '.join(apart)})"
    return Problem(
        "join", f"the two sides of {operator} never match: {reasons}; {mend}, or join others"
    )


def _set_operation(
    operator: str,
    matching: _Matching,
    left: Vector,
    right: Vector,
    meeting: list[tuple[Shape, Shape]],
) -> Vector:
    if operator == "or":
        return vector_of(left + right)
    if operator == "unless":
        return left
    return vector_of(_equal(matching, *pair) for pair in meeting)


def _met(matching: _Matching, left: Shape, right: Shape) -> Shape:
    """What comes of a pair in arithmetic or a comparison."""
    many, one = (right, left) if matching.swapped else (left, right)
    equal = _equal(matching, many, one).of_kind("")
    if matching.grouped:
        return equal.having({label: one.values(label) for label in matching.include})
    return matching.kept(equal)


def _equal(matching: _Matching, left: Shape, right: Shape) -> Shape:
    """The left one, its labels narrowed to what the right one can equal."""
    between = matching.between(left, right)
    return left.having({label: left.values(label) & right.values(label) for label in between})

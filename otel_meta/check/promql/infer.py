"""Which labels an expression's series have: read from the leaves up, as Prometheus evaluates it.

What is wrong on the way is reported, and then taken for right, so that it is said once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from promql_parser import (
    AggModifierType,
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    ParenExpr,
    SubqueryExpr,
    UnaryExpr,
    ValueType,
    VectorSelector,
)

from otel_meta.check.finding import Problem

from . import calls, functions
from . import label_checks as labels
from .joins import join
from .shape import BARE, Kind, Vector, vector_of
from .values import PRESENT
from .vector_selectors import Known, Report, select

_PICK: Final = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
"""Aggregations that keep series as they are, and group only to compare them."""
_KEEP_KIND: Final = _PICK | {"sum", "min", "max", "avg"}


@dataclass(frozen=True)
class Inference:
    """Reads expressions against the series that are known."""

    known: Known
    report: Report

    def vector(self, expr: Expr) -> Vector | None:
        """The series that an expression can give; None where it gives a number or a text."""
        found: Vector | None = None
        match expr:
            case VectorSelector():
                found = select(expr, self.known, self.report)
            case MatrixSelector():
                found = select(expr.vector_selector, self.known, self.report)
            case SubqueryExpr() | ParenExpr() | UnaryExpr():
                found = self.vector(expr.expr)
            case AggregateExpr():
                found = self._aggregation(expr)
            case BinaryExpr():
                found = self._operation(expr)
            case Call():
                found = self._call(expr)
            case _:
                pass
        return found

    def _operation(self, expr: BinaryExpr) -> Vector | None:
        left, right = self.vector(expr.lhs), self.vector(expr.rhs)
        if left is None or right is None:
            found = left or right
        else:
            found = join(expr, left, right, self.report)
        is_bool = expr.modifier is not None and expr.modifier.return_bool
        return _of_kind(found, "gauge") if found and is_bool else found

    def _aggregation(self, expr: AggregateExpr) -> Vector:
        if isinstance(expr.param, Expr):  # what stands before the comma may read series as well
            self.vector(expr.param)
        vector, operator = self.vector(expr.expr) or (BARE,), str(expr.op)
        by = expr.modifier.labels if expr.modifier else ()
        self._expect(by, vector, f"what {operator} is given")
        kept = vector if operator in _PICK else _grouped(expr, vector)
        if operator == "count_values":
            kept = vector_of(s.having({calls.text(expr.param): PRESENT}) for s in kept)
        return kept if operator in _KEEP_KIND else _of_kind(kept, "gauge")

    def _call(self, call: Call) -> Vector | None:
        name = call.func.name
        given = [vector for vector in map(self.vector, call.args) if vector is not None]
        vector = given[0] if given else (BARE,)
        self._expect_kind(call, vector)
        self._expect(calls.needed(call), vector, f"what {name}() is given")
        if call.func.return_type == ValueType.Scalar:
            return None
        return vector_of(
            shape.of_kind(functions.kind_of(name, shape.kind))
            for shape in calls.relabelled(call, vector)
        )

    def _expect(self, wanted: Iterable[str], vector: Vector, owner: str) -> None:
        for problem in labels.unknown(wanted, vector, owner):
            self.report(problem)

    def _expect_kind(self, call: Call, vector: Vector) -> None:
        name = call.func.name
        wrong = functions.MISTAKEN.get(name)
        if wrong and all(shape.kind == wrong for shape in vector):
            what, mend = _name_in(call), functions.INSTEAD[wrong]
            self.report(Problem("function", f"{name}() over {what}, which is a {wrong}; {mend}"))


def _of_kind(vector: Vector, kind: Kind) -> Vector:
    return vector_of(shape.of_kind(kind) for shape in vector)


def _grouped(expr: AggregateExpr, vector: Vector) -> Vector:
    by = expr.modifier.labels if expr.modifier else ()
    if expr.modifier and expr.modifier.type == AggModifierType.Without:
        return vector_of(shape.without(by) for shape in vector)
    return vector_of(shape.only(by) for shape in vector)


def _name_in(call: Call) -> str:
    """The series that a call is about, if it names one."""
    found = [arg.vector_selector.name for arg in call.args if isinstance(arg, MatrixSelector)]
    return (found[0] if found else None) or "an expression"

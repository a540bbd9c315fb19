"""Inference of the labels of an expression's series, from the leaves up, as in evaluation.

Each mistake is reported once: afterwards the wrong part is treated as correct and causes no further
diagnostics.
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

from otel_meta.check.finding import Diagnostic

from . import calls, functions
from .joins import join
from .label_checks import unknown_labels
from .series_type import UNLABELED, MetricType, Vector, vector_of
from .values import PRESENT
from .vector_selectors import Report, SeriesLookup, select

_PICK: Final = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
"""Aggregations that select series and leave the labels unchanged."""
_KEEP_TYPE: Final = _PICK | {"sum", "min", "max", "avg"}


@dataclass(frozen=True)
class Inference:
    """Infers series types of expressions from the known series."""

    known: SeriesLookup
    report: Report

    def vector(self, expr: Expr) -> Vector | None:
        """Return the series types of an expression; None for a scalar or a string."""
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
        return _of_metric_type(found, "gauge") if found and is_bool else found

    def _aggregation(self, expr: AggregateExpr) -> Vector:
        if isinstance(expr.param, Expr):  # a parameter may read series as well
            self.vector(expr.param)
        vector, operator = self.vector(expr.expr) or (UNLABELED,), str(expr.op)
        by = expr.modifier.labels if expr.modifier else ()
        self._expect(by, vector, f"the argument of {operator}")
        kept = vector if operator in _PICK else _grouped(expr, vector)
        if operator == "count_values":
            kept = vector_of(s.having({calls.text(expr.param): PRESENT}) for s in kept)
        return kept if operator in _KEEP_TYPE else _of_metric_type(kept, "gauge")

    def _call(self, call: Call) -> Vector | None:
        name = call.func.name
        given = [vector for vector in map(self.vector, call.args) if vector is not None]
        vector = given[0] if given else (UNLABELED,)
        self._expect_metric_type(call, vector)
        self._expect(calls.required_labels(call, vector), vector, f"the argument of {name}()")
        if call.func.return_type == ValueType.Scalar:
            return None
        return vector_of(
            series.of_metric_type(functions.type_of_result(name, series.metric_type))
            for series in calls.result_of(call, vector)
        )

    def _expect(self, wanted: Iterable[str], vector: Vector, owner: str) -> None:
        for diagnostic in unknown_labels(wanted, vector, owner):
            self.report(diagnostic)

    def _expect_metric_type(self, call: Call, vector: Vector) -> None:
        name = call.func.name
        wrong = functions.WRONG_TYPE.get(name)
        if wrong and all(series.metric_type == wrong for series in vector):
            argument, advice = _name_in(call), functions.ADVICE[wrong]
            message = f"{name}() over {argument}, which is a {wrong}; {advice}"
            self.report(Diagnostic("function", message, part=name))


def _of_metric_type(vector: Vector, metric_type: MetricType) -> Vector:
    return vector_of(series.of_metric_type(metric_type) for series in vector)


def _grouped(expr: AggregateExpr, vector: Vector) -> Vector:
    by = expr.modifier.labels if expr.modifier else ()
    if expr.modifier and expr.modifier.type == AggModifierType.Without:
        return vector_of(series.without(by) for series in vector)
    return vector_of(series.only(by) for series in vector)


def _name_in(call: Call) -> str:
    """Return the name of the series in a call's range selector."""
    found = [arg.vector_selector.name for arg in call.args if isinstance(arg, MatrixSelector)]
    return (found[0] if found else None) or "an expression"

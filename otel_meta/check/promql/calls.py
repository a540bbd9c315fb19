"""PromQL functions that read or change labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from promql_parser import Call, MatrixSelector, StringLiteral, VectorSelector

from . import patterns
from .series_type import NAME, UNLABELED, SeriesType, Vector, vector_of
from .values import ANY, Values, one_of

_OVER_BUCKETS: Final = ("histogram_fraction", "histogram_quantile", "histogram_quantiles")
_SOURCES: Final[Mapping[str, slice]] = {
    "label_join": slice(3, None),
    "label_replace": slice(3, 4),
    "sort_by_label": slice(1, None),
    "sort_by_label_desc": slice(1, None),
}
"""Functions with label names among their arguments, and the position of these arguments."""


def required_labels(call: Call, vector: Vector) -> list[str]:
    """Return the labels that a function reads in a vector of arguments."""
    if call.func.name in _OVER_BUCKETS:
        return [] if any(series.metric_type == "histogram" for series in vector) else ["le"]
    arguments = call.args[_SOURCES.get(call.func.name, slice(0))]
    return [label for label in map(text, arguments) if label]


def result_of(call: Call, vector: Vector) -> Vector:
    """Return the series types of a function's result for a vector of arguments."""
    return _CHANGES.get(call.func.name, _unchanged)(call, vector)


def text(expr: object) -> str:
    """Return the value of a string literal; empty for any other expression."""
    return expr.val if isinstance(expr, StringLiteral) else ""


def _unchanged(_: Call, vector: Vector) -> Vector:
    return vector


def _without_le(_: Call, vector: Vector) -> Vector:
    return vector_of(series.without(["le"]) for series in vector)


def _absent(call: Call, _: Vector) -> Vector:
    """Return a series with the labels of the selector's equality matchers."""
    matchers = _matchers(call.args[0])
    equal = [m for m in matchers if str(m.op) == "MatchOp.Equal" and m.name != NAME]
    return (SeriesType({m.name: one_of([m.value]) for m in equal}),)


def _matchers(expr: Any) -> list[Any]:
    selector = expr.vector_selector if isinstance(expr, MatrixSelector) else expr
    return selector.matchers.matchers if isinstance(selector, VectorSelector) else []


def _number(_: Call, __: Vector) -> Vector:
    return (UNLABELED,)


def _info(_: Call, vector: Vector) -> Vector:
    """Add any label: the labels of the resource are unknown."""
    return vector_of(SeriesType(series.labels, ANY, series.metric_type) for series in vector)


def _joined(call: Call, vector: Vector) -> Vector:
    return vector_of(series.having({text(call.args[1]): ANY}) for series in vector)


def _replaced(call: Call, vector: Vector) -> Vector:
    target = text(call.args[1])
    return vector_of(series.having({target: _target(call, series)}) for series in vector)


def _target(call: Call, series: SeriesType) -> Values:
    """Return the target's possible values; if the pattern does not match, the old value stays."""
    target, replacement, source, pattern = map(text, call.args[1:5])
    if "$" in replacement:
        return ANY
    always = pattern in {".*", "(.*)"} or (not source and patterns.matcher(pattern)(""))
    return one_of([replacement]) | (one_of([]) if always else series.values(target))


_CHANGES: Final[Mapping[str, Callable[[Call, Vector], Vector]]] = {
    **dict.fromkeys(_OVER_BUCKETS, _without_le),
    "absent": _absent,
    "absent_over_time": _absent,
    "info": _info,
    "label_join": _joined,
    "label_replace": _replaced,
    "vector": _number,
}

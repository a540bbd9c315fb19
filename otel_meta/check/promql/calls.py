"""Functions of PromQL that need certain labels, or change them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from promql_parser import Call, MatrixSelector, StringLiteral, VectorSelector

from . import patterns
from .shape import BARE, NAME, Shape, Vector, vector_of
from .values import ANY, Values, one_of

_OVER_BUCKETS: Final = ("histogram_fraction", "histogram_quantile", "histogram_quantiles")
_SOURCES: Final[Mapping[str, slice]] = {
    "label_join": slice(3, None),
    "label_replace": slice(3, 4),
    "sort_by_label": slice(1, None),
    "sort_by_label_desc": slice(1, None),
}
"""Functions that are told which labels to read, and where among their arguments."""


def needed(call: Call) -> list[str]:
    """Labels that a function reads."""
    if call.func.name in _OVER_BUCKETS:
        return ["le"]
    told = call.args[_SOURCES.get(call.func.name, slice(0))]
    return [label for label in map(text, told) if label]


def relabelled(call: Call, vector: Vector) -> Vector:
    """The series that a function gives for those that it is given."""
    return _CHANGES.get(call.func.name, _unchanged)(call, vector)


def text(expr: object) -> str:
    """What a string says; empty for anything else."""
    return expr.val if isinstance(expr, StringLiteral) else ""


def _unchanged(_: Call, vector: Vector) -> Vector:
    return vector


def _without_le(_: Call, vector: Vector) -> Vector:
    return vector_of(shape.without(["le"]) for shape in vector)


def _absent(call: Call, _: Vector) -> Vector:
    """One series, with the labels that its selector asks for by value."""
    matchers = _matchers(call.args[0])
    equal = [m for m in matchers if str(m.op) == "MatchOp.Equal" and m.name != NAME]
    return (Shape({m.name: one_of([m.value]) for m in equal}),)


def _matchers(expr: Any) -> list[Any]:
    selector = expr.vector_selector if isinstance(expr, MatrixSelector) else expr
    return selector.matchers.matchers if isinstance(selector, VectorSelector) else []


def _number(_: Call, __: Vector) -> Vector:
    return (BARE,)


def _info(_: Call, vector: Vector) -> Vector:
    """Whichever labels the resource has come to those that are there."""
    return vector_of(Shape(shape.labels, ANY, shape.kind) for shape in vector)


def _joined(call: Call, vector: Vector) -> Vector:
    return vector_of(shape.having({text(call.args[1]): ANY}) for shape in vector)


def _replaced(call: Call, vector: Vector) -> Vector:
    target = text(call.args[1])
    return vector_of(shape.having({target: _target(call, shape)}) for shape in vector)


def _target(call: Call, shape: Shape) -> Values:
    """What the target can be afterwards; where the pattern does not match, what it was."""
    target, replacement, source, pattern = map(text, call.args[1:5])
    if "$" in replacement:
        return ANY
    always = pattern in {".*", "(.*)"} or (not source and patterns.matcher(pattern)(""))
    return one_of([replacement]) | (one_of([]) if always else shape.values(target))


_CHANGES: Final[Mapping[str, Callable[[Call, Vector], Vector]]] = {
    **dict.fromkeys(_OVER_BUCKETS, _without_le),
    "absent": _absent,
    "absent_over_time": _absent,
    "info": _info,
    "label_join": _joined,
    "label_replace": _replaced,
    "vector": _number,
}

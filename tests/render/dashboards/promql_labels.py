"""Analyses PromQL queries: selectors, and the labels of the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import promql_parser as promql

SeriesLabels = Mapping[str, frozenset[str]]
"""The labels of each series, by the name of the series."""


def result_labels(expr: str, known: SeriesLabels) -> frozenset[str]:
    """Return the labels of a query's result."""
    return node_labels(promql.parse(expr), known)


def selectors(expr: str) -> Iterator[Any]:
    """Return all selectors of a query."""
    return (node for node in _walk(promql.parse(expr)) if isinstance(node, promql.VectorSelector))


def groupings(expr: str) -> Iterator[tuple[Any, set[str]]]:
    """Return the operand and the grouping labels of each aggregation of a query."""
    for node in _walk(promql.parse(expr)):
        if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
            yield node.expr, set(node.modifier.labels)


def node_labels(node: Any, known: SeriesLabels) -> frozenset[str]:
    """Return the labels of the result of a part of a query."""
    match node:
        case promql.VectorSelector():
            assert node.name is not None, "a selector by the label __name__ alone"
            return known[node.name]
        case promql.AggregateExpr() if str(node.op) in _SELECTING:
            return node_labels(node.expr, known)
        case promql.AggregateExpr():
            return frozenset(node.modifier.labels) if node.modifier else frozenset()
        case promql.BinaryExpr():
            return _binary_labels(node, known)
        case promql.Call() if node.func.name == "histogram_quantile":
            return _labels_of_parts(node, known) - {"le"}
        case _:
            return _labels_of_parts(node, known)


_SELECTING = {"topk", "bottomk"}
"""Aggregations that return some of the aggregated series, with all labels."""


def _binary_labels(node: Any, known: SeriesLabels) -> frozenset[str]:
    left, right = node_labels(node.lhs, known), node_labels(node.rhs, known)
    if str(node.op) == "or" or isinstance(node.lhs, promql.NumberLiteral):
        return left | right
    included = node.modifier.group_labels if node.modifier else None
    return left | frozenset(included or ())


def _labels_of_parts(node: Any, known: SeriesLabels) -> frozenset[str]:
    return frozenset().union(*(node_labels(part, known) for part in _parts(node)))


def _walk(node: Any) -> Iterator[Any]:
    yield node
    for part in _parts(node):
        yield from _walk(part)


def _parts(node: Any) -> Iterator[Any]:
    for name in ("lhs", "rhs", "expr", "param", "vector_selector"):
        part = getattr(node, name, None)
        if isinstance(part, promql.Expr):
            yield part
    yield from getattr(node, "args", ())

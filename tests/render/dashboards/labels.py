"""The labels that a query's answer bears, and the selectors in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import promql_parser as promql

Known = Mapping[str, frozenset[str]]


def labels_kept(expr: str, known: Known) -> frozenset[str]:
    """What an answer's series bear."""
    return _kept(promql.parse(expr), known)


def selectors(expr: str) -> Iterator[Any]:
    """Every selector in a query."""
    return (node for node in _walk(promql.parse(expr)) if isinstance(node, promql.VectorSelector))


def grouping(expr: str) -> Iterator[tuple[Any, set[str]]]:
    """Every aggregation in a query, and the labels that it keeps."""
    for node in _walk(promql.parse(expr)):
        if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
            yield node.expr, set(node.modifier.labels)


def kept_by(node: Any, known: Known) -> frozenset[str]:
    """What the answer of a part of a query bears."""
    return _kept(node, known)


def _kept(node: Any, known: Known) -> frozenset[str]:
    match node:
        case promql.VectorSelector():
            return known[node.name]
        case promql.AggregateExpr():
            return frozenset(node.modifier.labels) if node.modifier else frozenset()
        case promql.BinaryExpr():
            return _joined(node, known)
        case promql.Call() if node.func.name == "histogram_quantile":
            return _of_parts(node, known) - {"le"}
        case _:
            return _of_parts(node, known)


def _joined(node: Any, known: Known) -> frozenset[str]:
    left, right = _kept(node.lhs, known), _kept(node.rhs, known)
    if str(node.op) == "or" or isinstance(node.lhs, promql.NumberLiteral):
        return left | right
    brought = node.modifier.group_labels if node.modifier else None
    return left | frozenset(brought or ())


def _of_parts(node: Any, known: Known) -> frozenset[str]:
    return frozenset().union(*(_kept(part, known) for part in _parts(node)))


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

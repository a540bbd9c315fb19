"""Mutants of a source file: copies with a single small fault, which a test should notice."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Eq: ast.NotEq(),
    ast.NotEq: ast.Eq(),
    ast.Lt: ast.LtE(),
    ast.LtE: ast.Lt(),
    ast.Gt: ast.GtE(),
    ast.GtE: ast.Gt(),
    ast.Is: ast.IsNot(),
    ast.IsNot: ast.Is(),
    ast.In: ast.NotIn(),
    ast.NotIn: ast.In(),
}
_OPERATORS: dict[type[ast.operator], ast.operator] = {
    ast.Add: ast.Sub(),
    ast.Sub: ast.Add(),
    ast.Mult: ast.Add(),
    ast.Div: ast.Mult(),
}

_Fault = tuple[ast.expr | ast.stmt, ast.AST]
"""A node of the source, and its replacement."""


@dataclass(frozen=True)
class Mutant:
    """A source text with one fault.

    ``name`` stays the same if other lines of the file change: function, original and replacement.
    """

    line: int
    name: str
    text: str


def mutants(text: str) -> Iterator[Mutant]:
    """Yield the mutants of the functions in a source text.

    The faults are: a statement left out, a condition negated, a comparison, a boolean or an
    arithmetic operator replaced, a boolean inverted, a number changed by one.
    """
    source = _Source(text)
    for function, node in _nodes(ast.parse(text)):
        for target, replacement in _faults(node):
            after = ast.unparse(replacement)
            name = f"{function}: {_short(source.segment(target))} -> {_short(after)}"
            yield Mutant(target.lineno, name, source.replaced(target, after))


class _Source:
    """Access to the text of a node; the columns of `ast` count bytes."""

    def __init__(self, text: str) -> None:
        self._bytes = text.encode()
        lines = self._bytes.splitlines(keepends=True)
        self._starts = [sum(map(len, lines[:n])) for n in range(len(lines) + 1)]

    def segment(self, node: ast.expr | ast.stmt) -> str:
        begin, end = self._span(node)
        return self._bytes[begin:end].decode()

    def replaced(self, node: ast.expr | ast.stmt, text: str) -> str:
        begin, end = self._span(node)
        is_expression = isinstance(node, ast.expr)
        inserted = f"({text})" if is_expression else text
        return (self._bytes[:begin] + inserted.encode() + self._bytes[end:]).decode()

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        last, column = node.end_lineno or 0, node.end_col_offset or 0  # parsed nodes have both
        return self._starts[node.lineno - 1] + node.col_offset, self._starts[last - 1] + column


def _nodes(parent: ast.AST, scope: str = "", function: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Yield the nodes inside functions, each with the qualified name of its function."""
    for child in ast.iter_child_nodes(parent):
        if _is_annotation(parent, child) or isinstance(child, ast.JoinedStr):
            continue
        if function:
            yield function, child
        if isinstance(child, ast.ClassDef):
            yield from _nodes(child, f"{scope}{child.name}.")
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _nodes(child, f"{scope}{child.name}.", f"{scope}{child.name}")
        else:
            yield from _nodes(child, scope, function)


def _is_annotation(parent: ast.AST, child: ast.AST) -> bool:
    return child in (getattr(parent, "annotation", None), getattr(parent, "returns", None))


def _faults(node: ast.AST) -> Iterator[_Fault]:
    for kind, faults_of in _FAULTS.items():
        if isinstance(node, kind):
            yield from faults_of(node)


def _left_out(node: ast.Expr | ast.Assign | ast.AugAssign | ast.AnnAssign) -> Iterator[_Fault]:
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    if not is_docstring and node.value is not None:
        yield node, ast.Pass()


def _negated(node: ast.If | ast.While | ast.IfExp) -> Iterator[_Fault]:
    yield node.test, ast.UnaryOp(ast.Not(), node.test)


def _compared(node: ast.Compare) -> Iterator[_Fault]:
    operator = _COMPARISONS[type(node.ops[0])]
    yield node, ast.Compare(node.left, [operator, *node.ops[1:]], node.comparators)


def _calculated(node: ast.BinOp) -> Iterator[_Fault]:
    operator = _OPERATORS.get(type(node.op))
    if operator is not None:
        yield node, ast.BinOp(node.left, operator, node.right)


def _joined(node: ast.BoolOp) -> Iterator[_Fault]:
    yield node, ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


def _changed(node: ast.Constant) -> Iterator[_Fault]:
    if isinstance(node.value, bool):
        yield node, ast.Constant(not node.value)
    elif isinstance(node.value, int | float):
        yield node, ast.Constant(node.value + 1)


_FAULTS: dict[type[ast.AST], Callable[..., Iterator[_Fault]]] = {
    ast.Expr: _left_out,
    ast.Assign: _left_out,
    ast.AugAssign: _left_out,
    ast.AnnAssign: _left_out,
    ast.If: _negated,
    ast.While: _negated,
    ast.IfExp: _negated,
    ast.Compare: _compared,
    ast.BinOp: _calculated,
    ast.BoolOp: _joined,
    ast.Constant: _changed,
}


def _short(text: str) -> str:
    return " ".join(text.split())

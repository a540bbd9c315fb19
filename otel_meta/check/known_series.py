"""Every series that a rule may read: declared, recorded, or of somebody else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from promql_parser import Expr

from otel_meta.model import Catalog

from .declared_series import declared
from .external_series import SERIES, foreign
from .finding import Problem
from .promql.infer import Inference
from .promql.shape import BARE, UNKNOWN, Shape, Vector, vector_of
from .promql.values import one_of


@dataclass(frozen=True)
class Recorded:
    """What one recording rule makes."""

    name: str
    expr: Expr | None
    """None where it cannot be parsed; then nothing is known of what it makes but its own labels."""
    labels: Mapping[str, str]


class World:
    """Series by their names; those of recording rules as their expressions have them."""

    def __init__(self, catalog: Catalog, recorded: Iterable[Recorded]) -> None:
        self._declared: Final = declared(catalog)
        self._rules: Final[defaultdict[str, list[Recorded]]] = defaultdict(list)
        self._inferred: Final[dict[str, Vector]] = {}
        for rule in recorded:
            self._rules[rule.name].append(rule)

    def find(self, name: str) -> Vector | None:
        """What is known of a series by its name; None if there is none."""
        shape = self._declared.get(name) or foreign(name)
        found = () if shape is None else (shape,)
        return (*found, *self._recorded(name)) or None

    def names(self) -> Iterable[str]:
        """Names of series, to choose the nearest from."""
        return {*self._declared, *self._rules, *SERIES}

    def _recorded(self, name: str) -> Vector:
        if name not in self._rules:
            return ()
        if name not in self._inferred:
            # Whoever asks again meanwhile goes round in a circle, of which nothing can be said.
            self._inferred[name] = (UNKNOWN,)
            self._inferred[name] = vector_of(self._shapes(name))
        return self._inferred[name]

    def _shapes(self, name: str) -> Iterator[Shape]:
        for rule in self._rules[name]:
            labels = {label: one_of([value]) for label, value in rule.labels.items()}
            yield from (shape.having(labels) for shape in self._made_by(rule))

    def _made_by(self, rule: Recorded) -> Vector:
        if rule.expr is None:
            return (UNKNOWN,)
        return Inference(self, _unsaid).vector(rule.expr) or (BARE,)


def _unsaid(_: Problem) -> None:
    """A problem of another rule is reported where that rule is checked."""

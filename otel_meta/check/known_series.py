"""Every series that a rule may read: declared, recorded or foreign."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from promql_parser import Expr

from otel_meta.model import Catalog

from .declared_series import declared_series
from .finding import Diagnostic
from .foreign_series import SERIES, ForeignSeries
from .promql.infer import Inference
from .promql.series_type import UNKNOWN, UNLABELED, SeriesType, Vector, vector_of
from .promql.values import one_of


@dataclass(frozen=True)
class RecordedSeries:
    """The series of one recording rule."""

    name: str
    expr: Expr | None
    """None if the expression cannot be parsed; then only the rule's own labels are known."""
    labels: Mapping[str, str]


class KnownSeries:
    """Series types by name; the types of recorded series are inferred from their expressions."""

    def __init__(
        self,
        catalog: Catalog,
        recorded: Iterable[RecordedSeries],
        foreign: ForeignSeries,
        *,
        native: bool = False,
    ) -> None:
        self._foreign: Final = foreign
        self._declared: Final = {
            name: foreign.scraped(series)
            for name, series in declared_series(catalog, native=native).items()
        }
        self._rules: Final[defaultdict[str, list[RecordedSeries]]] = defaultdict(list)
        self._inferred: Final[dict[str, Vector]] = {}
        for rule in recorded:
            self._rules[rule.name].append(rule)

    def find(self, name: str) -> Vector | None:
        """Return the types of the series of a name; None if no such series is known."""
        own = self._declared.get(name)
        known = (*(() if own is None else (own,)), *self._recorded(name))
        if not known and (foreign := self._foreign.find(name, self._declared)):
            return (foreign,)
        return known or None

    def names(self) -> Iterable[str]:
        """Return the names of all series, as candidates for suggestions."""
        return {*self._declared, *self._rules, *SERIES}

    def _recorded(self, name: str) -> Vector:
        if name not in self._rules:
            return ()
        if name not in self._inferred:
            # Nothing is known of recordings that read each other: the recursion finds UNKNOWN.
            self._inferred[name] = (UNKNOWN,)
            self._inferred[name] = vector_of(self._types(name))
        return self._inferred[name]

    def _types(self, name: str) -> Iterator[SeriesType]:
        for rule in self._rules[name]:
            labels = {label: one_of([value]) for label, value in rule.labels.items()}
            for result in self._results(rule):
                yield self._foreign.recorded(result.having(labels))

    def _results(self, rule: RecordedSeries) -> Vector:
        if rule.expr is None:
            return (UNKNOWN,)
        return Inference(self, _ignore).vector(rule.expr) or (UNLABELED,)


def _ignore(_: Diagnostic) -> None:
    """Ignore mistakes in other rules; the check of each rule reports its own mistakes."""

"""Queries of the boards about a service of both clusters, and their values in two views."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from tests.backends.alerting_servers import Sample
from tests.render.dashboards.rendered_dashboards import Target, targets

BOARD_QUERIES: Final = tuple(
    {
        target.expr: target
        for target in targets()
        if target.where.startswith(("slo-", "titan-", "business-"))
    }.values()
)
"""The queries of the boards about SLOs, business metrics and the service's meta-repository."""
SPEED: Final = 60
"""The rules are as many times as fast as in production, and so are rates on boards."""
_TOLERANCE: Final = 0.1
"""The relative difference that two replicas may have: each scrapes at other times."""


class Answers(Protocol):
    """A server with both clusters in view."""

    def query(self, expr: str) -> list[Sample]:
        """Return the result of an instant query."""
        ...


def value(panel: str, answers: Answers, **labels: str) -> float:
    """Return the only value with these labels of the first query of a panel on the SLO board."""
    where = f"slo-tracking.json: {panel}"
    (expr,) = (query.expr for query in BOARD_QUERIES if query.where == where)
    (found,) = (one for one in answers.query(expr) if labels.items() <= one.labels.items())
    return found.value


def different(target: Target, one: Iterable[Sample], other: Iterable[Sample]) -> str:
    """Return the panel of a query whose values are different in two views; "" if they are equal."""
    left, right = _by_labels(one), _by_labels(other)
    same = left.keys() == right.keys() and all(_is_close(left[key], right[key]) for key in left)
    return "" if same else target.where.rpartition(" ")[0].partition(": ")[2]


def _by_labels(samples: Iterable[Sample]) -> Mapping[frozenset[tuple[str, str]], float]:
    return {frozenset(sample.labels.items()): sample.value for sample in samples}


def _is_close(one: float, other: float) -> bool:
    both_unknown = math.isnan(one) and math.isnan(other)
    return both_unknown or math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=0.02)

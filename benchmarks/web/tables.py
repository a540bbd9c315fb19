"""Tables of the time that instrumentations add to a request, and the budgets of otel_meta."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from .contenders import BARE, CONTRIB, INSTRUMENTATOR, OURS
from .rounds import Case, Cost

ALL: Final = 1.0
FEW: Final = 0.01
ONE_ROUTE: Final = 1
MANY_ROUTES: Final = 200
CASES: Final = tuple(
    Case(routes, sampled) for sampled in (ALL, FEW) for routes in (ONE_ROUTE, MANY_ROUTES)
)
GROWTH: Final = 1.2
"""Budget for the time that otel_meta adds with many routes, as a multiple of one route."""
BUDGETS: Final[Mapping[tuple[float, str], float]] = {
    (ALL, CONTRIB): 0.25,
    (FEW, CONTRIB): 0.25,
    (FEW, INSTRUMENTATOR): 1.0,
}
"""Budgets for the time that otel_meta adds, as a multiple of another's, by share and contender."""

Costs = Mapping[str, Cost]


class Added(NamedTuple):
    """The time that a contender adds to a request with one route and with many."""

    one: float
    many: float
    spans: float

    @property
    def growth(self) -> float:
        """The time with many routes, as a multiple of the time with one."""
        return self.many / self.one


def added(one: Costs, many: Costs) -> dict[str, Added]:
    """Return what each contender adds to the application alone."""
    return {
        name: Added(
            cost.microseconds - one[BARE].microseconds,
            many[name].microseconds - many[BARE].microseconds,
            cost.spans,
        )
        for name, cost in one.items()
        if name != BARE
    }


def table(sampled: float, one: Costs, many: Costs) -> str:
    """Return the Markdown table for a share of sampled traces."""
    by_name = added(one, many)
    head = (
        f"added to a request, {sampled:.0%} of the traces sampled",
        "spans a request",
        f"{ONE_ROUTE} route",
        f"{MANY_ROUTES} routes",
        f"{MANY_ROUTES} routes to {ONE_ROUTE}",
        f"otel_meta to it, {ONE_ROUTE} route",
        f"otel_meta to it, {MANY_ROUTES} routes",
    )
    rows = [_row(name, sampled, by_name) for name in by_name]
    return _markdown([head, *rows]) + _alone(one[BARE].microseconds, many[BARE].microseconds)


def _alone(one: float, many: float) -> str:
    return (
        f"\nThe application alone takes {one:.1f} µs with {ONE_ROUTE} route, "
        f"and {many:.1f} µs with {MANY_ROUTES}.\n"
    )


def _row(name: str, sampled: float, by_name: Mapping[str, Added]) -> tuple[str, ...]:
    row, ours = by_name[name], by_name[OURS]
    growth = judged(row.growth, GROWTH if name == OURS else None)
    budget = BUDGETS.get((sampled, name))
    ratios = ("", "")
    if not name.startswith(OURS):
        ratios = (judged(ours.one / row.one, budget), judged(ours.many / row.many, budget))
    return (name, f"{row.spans:.3g}", *map(microseconds, row[:2]), growth, *ratios)


def served_table(costs: Mapping[float, Costs]) -> str:
    """Return the Markdown table of requests under uvicorn, by share of sampled traces."""
    heads = (f"{share:.0%} sampled" for share in costs)
    ratios = (f"otel_meta to it, {share:.0%} sampled" for share in costs)
    head = ("added to a request under uvicorn, 1 route", *heads, *ratios)
    names = [name for name in next(iter(costs.values())) if name != BARE]
    alone = ", ".join(f"{each[BARE].microseconds:.1f} µs" for each in costs.values())
    return (
        _markdown([head, *(_served_row(name, costs) for name in names)])
        + f"\nThe process of the application alone takes {alone} a request.\n"
    )


def _served_row(name: str, costs: Mapping[float, Costs]) -> tuple[str, ...]:
    own = {share: added(each, each)[name].one for share, each in costs.items()}
    ours = {share: added(each, each)[OURS].one for share, each in costs.items()}
    ratios = (
        ""
        if name.startswith(OURS)
        else judged(ours[share] / own[share], BUDGETS.get((share, name)))
        for share in costs
    )
    return (name, *map(microseconds, own.values()), *ratios)


def judged(ratio: float, budget: float | None) -> str:
    """Return a ratio, and whether it is within its budget."""
    if budget is None:
        return f"{ratio:.2f}"
    return f"{ratio:.2f} ({'within' if ratio <= budget else 'OVER'} {budget:.3g})"


def microseconds(value: float) -> str:
    """Return a time for a table."""
    return f"{value:.1f} µs"


def _markdown(rows: Iterable[tuple[str, ...]]) -> str:
    head, *others = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---" * (head.count("|") - 1) + "|", *others]) + "\n"

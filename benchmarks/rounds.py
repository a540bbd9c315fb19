"""Contenders timed in turn, round after round, so that a noisy machine disturbs all alike.

The best round of each counts: whatever else the machine did can only have made a round longer.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from timeit import Timer
from typing import Final, NamedTuple

ROUNDS: Final = 15
CALLS: Final = 20_000
OURS: Final = "otel_meta"

Call = Callable[[], object]


class Row(NamedTuple):
    """A comparison: what each contender takes, and what share of it we may."""

    what: str
    costs: Mapping[str, float]
    budgets: Mapping[str, float]
    unit: str = "µs"

    def cells(self, contenders: Sequence[str]) -> list[str]:
        """The row of a Markdown table: each cost, and our ratio to each peer with its budget."""
        costs = [f"{self.costs[name]:.3g} {self.unit}" for name in (OURS, *contenders)]
        return [self.what, *costs, *(self._ratio(name) for name in contenders)]

    def _ratio(self, name: str) -> str:
        ratio = self.costs[OURS] / self.costs[name]
        budget = self.budgets.get(name)
        if budget is None:
            return f"{ratio:.3f}"
        return f"{ratio:.3f} ({'within' if ratio <= budget else 'OVER'} {budget:.3g})"


def microseconds(calls: Mapping[str, Call]) -> dict[str, float]:
    """What one call of each contender takes."""
    timers = {name: Timer(call) for name, call in calls.items()}
    best = dict.fromkeys(timers, float("inf"))
    for _ in range(ROUNDS):
        for name, timer in timers.items():
            best[name] = min(best[name], timer.timeit(CALLS) / CALLS * 1e6)
    return best


def print_table(rows: Sequence[Row], contenders: Sequence[str]) -> None:
    """Machine, versions, and a Markdown table."""
    packages = ("opentelemetry-sdk", "prometheus-client")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    print(f"Python {platform.python_version()} on {platform.machine()}; {versions}\n")
    head = ["", OURS, *contenders, *(f"to {name}" for name in contenders)]
    print(f"| {' | '.join(head)} |")
    print("|---" * len(head) + "|")
    for row in rows:
        print(f"| {' | '.join(row.cells(contenders))} |")

"""Comparisons of libraries, timed in turn so that a noisy machine affects all equally.

The fastest of several rounds counts, because other work on the machine only slows a round down.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from time import perf_counter
from timeit import Timer
from typing import Final, NamedTuple

ROUNDS: Final = 15
CALLS: Final = 20_000
OURS: Final = "otel_meta"

Call = Callable[[], object]


class Row(NamedTuple):
    """A comparison: the cost of each library, and the largest ratio for otel_meta."""

    title: str
    costs: Mapping[str, float]
    budgets: Mapping[str, float]
    unit: str = "µs"

    def cells(self, libraries: Sequence[str]) -> list[str]:
        """Return the cells of a Markdown row: each cost, then each ratio with its budget."""
        costs = [f"{self.costs[name]:.3g} {self.unit}" for name in (OURS, *libraries)]
        return [self.title, *costs, *(self._ratio(name) for name in libraries)]

    def _ratio(self, name: str) -> str:
        ratio = self.costs[OURS] / self.costs[name]
        budget = self.budgets.get(name)
        if budget is None:
            return f"{ratio:.3f}"
        return f"{ratio:.3f} ({'within' if ratio <= budget else 'OVER'} {budget:.3g})"


def microseconds(
    calls: Mapping[str, Call], clock: Callable[[], float] = perf_counter
) -> dict[str, float]:
    """Return the microseconds of one call for each library."""
    timers = {name: Timer(call, timer=clock) for name, call in calls.items()}
    best = dict.fromkeys(timers, float("inf"))
    for _ in range(ROUNDS):
        for name, timer in timers.items():
            best[name] = min(best[name], timer.timeit(CALLS) / CALLS * 1e6)
    return best


def print_table(
    rows: Sequence[Row],
    libraries: Sequence[str],
    packages: Sequence[str] = ("opentelemetry-sdk", "prometheus-client"),
) -> None:
    """Print the machine, the versions and a Markdown table."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    print(f"Python {platform.python_version()} on {platform.machine()}; {versions}\n")
    head = ["", OURS, *libraries, *(f"to {name}" for name in libraries)]
    print(f"| {' | '.join(head)} |")
    print("|---" * len(head) + "|")
    for row in rows:
        print(f"| {' | '.join(row.cells(libraries))} |")

"""The cost of rules by number of services: samples, time and memory of a real Prometheus.

Prometheus loads the committed rules over a month of recorded series and six hours of raw series,
from services spread evenly over all meta-repositories. ``percentile_cost.py`` measures percentiles
over days.

``python benchmarks/rule_cost.py`` takes a quarter of an hour on two cores, and up to 10 GB in the
folder for temporary files. ``--services 10 100`` is shorter, and ``--quick`` is a test run.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeVar

from scale.backend import machine
from scale.evaluation import KINDS, Cost, Plan, cost_of
from scale.table import DOCUMENT, put, table

from otel_meta.repos import BUILTIN

T = TypeVar("T")

SERVICES: Final = (10, 20, 40)
MAX_SAMPLES: Final = 50_000_000
"""The default of Prometheus' ``--query.max-samples``."""
ROUND: Final = 60
"""Seconds between two evaluations."""

_QUICK: Final = Plan(raw=600, days=2, interval=10, rounds=1)
_QUICK_SERVICES: Final = (6, 12)


def rows(costs: Sequence[Cost]) -> Iterator[tuple[object, ...]]:
    """Yield the rows for one evaluation of all rules."""
    yield "a service and an SLO", *(cost.pairs for cost in costs)
    for kind in KINDS:
        yield f"samples read: {kind}", *(cost.read[kind] for cost in costs)
    yield "CPU seconds a round", *(cost.seconds for cost in costs)
    for kind in KINDS:
        yield f"seconds in groups: {kind}", *(cost.elapsed[kind] for cost in costs)
    yield "seconds of the slowest group", *(cost.longest[1] for cost in costs)
    yield "most samples of a query at a time", *(cost.peak[1] for cost in costs)
    yield "memory of the process, MB", *(round(cost.memory / 1e6) for cost in costs)


def marginal_rows(costs: Sequence[Cost]) -> Iterator[tuple[object, ...]]:
    """Yield the cost of one more service, between two successive numbers of services."""
    pairs = list(pairwise(costs))
    more = [after.services - before.services for before, after in pairs]
    changes: dict[str, list[float]] = {
        "samples read": [_read(b) - _read(a) for a, b in pairs],
        "CPU milliseconds a round": [1_000 * (b.seconds - a.seconds) for a, b in pairs],
        "memory, kB": [(b.memory - a.memory) / 1e3 for a, b in pairs],
    }
    for title, change in changes.items():
        yield title, *(value / many for value, many in zip(change, more, strict=True))


def limit_rows(costs: Sequence[Cost]) -> Iterator[tuple[object, ...]]:
    """Yield the number of services at which each limit is reached, taken alone."""
    before, after = costs[-2:]
    cpu = (after.seconds - before.seconds) / (after.services - before.services)
    held = (after.peak[1] - before.peak[1]) / (_largest(after) - _largest(before))
    yield "all rules take one core", int(ROUND / cpu), ""
    yield f"a query holds {MAX_SAMPLES:,} samples", int(MAX_SAMPLES / held), f"`{after.peak[0]}`"


def measured(quick: bool, services: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Yield each table with its name in docs/scale.md."""
    plan = _QUICK if quick else Plan()
    costs = [_in_a_folder(partial(cost_of, n, plan)) for n in services]
    counts = [f"{cost.services:,} services" for cost in costs]
    yield "rule_cost", table((machine(), *counts), rows(costs))
    steps = [f"{a.services:,} to {b.services:,}" for a, b in pairwise(costs)]
    yield "rule_law", table(("each further service costs", *steps), marginal_rows(costs))
    yield "rule_ends", table(("limit", "services of one process", "by"), limit_rows(costs))


def _in_a_folder(measure: Callable[[Path], T]) -> T:
    with tempfile.TemporaryDirectory() as folder:
        return measure(Path(folder))


def _largest(cost: Cost) -> int:
    """Return the number of services in the largest meta-repository."""
    return -(-cost.services // len(tuple(BUILTIN)))


def _read(cost: Cost) -> int:
    return sum(cost.read.values())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Measure the cost of rules in Prometheus.")
    parser.add_argument("--services", type=int, nargs="+", metavar="N", help="at least two numbers")
    parser.add_argument("--quick", action="store_true", help="a tiny run; no numbers to quote")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scale.md")
    options = parser.parse_args()
    services = options.services or (_QUICK_SERVICES if options.quick else SERVICES)
    if len(services) < 2:  # noqa: PLR2004  # a difference needs two points
        parser.error(
            "--services needs at least two numbers, because the growth of the cost is measured"
        )
    for name, text in measured(options.quick, sorted(services)):
        print(f"{text}\n", flush=True)
        if options.write:
            put(DOCUMENT, name, text)


if __name__ == "__main__":
    main()

"""What a series costs in memory, against what a user would use instead. ``make bench``."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Final

from contenders import (
    CLIENT,
    SDK,
    client_counter,
    client_histogram,
    meter,
    ours,
    sdk_histogram,
)
from rounds import OURS, Row, print_table

SERIES: Final = 1000
BUDGETS: Final = {SDK: 1 / 3}

Touch = Callable[[str], object]
"""Records into the series whose label ``dag`` has this value."""


def histogram_row() -> Row:
    """Histograms of eleven buckets, each with a value."""
    flow, _ = ours()
    sdk, client = sdk_histogram(), client_histogram()
    costs = {
        OURS: kilobytes(lambda dag: flow.duration.record(0.02, dag=dag, task="t")),
        SDK: kilobytes(lambda dag: sdk.record(0.02, {"dag": dag, "task": "t", "state": "success"})),
        CLIENT: kilobytes(lambda dag: client.labels(dag, "t", "success").observe(0.02)),
    }
    return Row("a histogram of 11 buckets, 3 labels", costs, BUDGETS, "kB")


def counter_row() -> Row:
    """Counters; ours come in pairs, for the closed label's other value is there at zero."""
    flow, _ = ours()
    sdk, client = meter().create_counter("flow.runs"), client_counter()
    costs = {
        OURS: kilobytes(lambda dag: flow.runs.add(1, dag=dag, task="t")) / 2,
        SDK: kilobytes(lambda dag: sdk.add(1, {"dag": dag, "task": "t", "state": "success"})),
        CLIENT: kilobytes(lambda dag: client.labels(dag, "t", "success").inc()),
    }
    return Row("a counter, 3 labels", costs, {}, "kB")


def kilobytes(touch: Touch) -> float:
    """What a series takes, its label values aside, which whoever records holds anyway."""
    names = [f"dag-{number}" for number in range(SERIES)]
    touch("first")
    gc.collect()
    tracemalloc.start()
    for name in names:
        touch(name)
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used / SERIES / 1000


def main() -> None:
    """Print the table."""
    print_table([histogram_row(), counter_row()], (SDK, CLIENT))


if __name__ == "__main__":
    main()

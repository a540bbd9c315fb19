"""The memory of a series in otel_meta, the SDK and prometheus_client. ``make bench``."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Final

from baselines import (
    CLIENT,
    SDK,
    client_counter,
    client_histogram,
    meter,
    ours,
    sdk_histogram,
)
from comparison import OURS, Row, print_table

SERIES: Final = 1000
BUDGETS: Final = {SDK: 1 / 3}

Touch = Callable[[str], object]
"""Records into the series with this value of the label ``dag``."""


def histogram_row() -> Row:
    """Compare histograms of eleven buckets, each with one value."""
    flow, _ = ours()
    sdk, client = sdk_histogram(), client_histogram()
    costs = {
        OURS: kilobytes(lambda dag: flow.duration.record(0.02, dag=dag, task="t")),
        SDK: kilobytes(lambda dag: sdk.record(0.02, {"dag": dag, "task": "t", "state": "success"})),
        CLIENT: kilobytes(lambda dag: client.labels(dag, "t", "success").observe(0.02)),
    }
    return Row("a histogram of 11 buckets, 3 labels", costs, BUDGETS, "kB")


def counter_row() -> Row:
    """Compare counters; otel_meta creates two, because the closed label has two values."""
    flow, _ = ours()
    sdk, client = meter().create_counter("flow.runs"), client_counter()
    costs = {
        OURS: kilobytes(lambda dag: flow.runs.add(1, dag=dag, task="t")) / 2,
        SDK: kilobytes(lambda dag: sdk.add(1, {"dag": dag, "task": "t", "state": "success"})),
        CLIENT: kilobytes(lambda dag: client.labels(dag, "t", "success").inc()),
    }
    return Row("a counter, 3 labels", costs, {}, "kB")


def kilobytes(touch: Touch) -> float:
    """Return the kilobytes of a series without its label values, which the caller holds anyway."""
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

"""The cost of a handle and of a child of prometheus_client. ``make bench``."""

from __future__ import annotations

from typing import Final

from baselines import CLIENT, LABELS, client_counter, client_gauge, client_histogram, ours
from comparison import OURS, Row, microseconds, print_table

BUDGETS: Final = {CLIENT: 0.8}


def counter_row() -> Row:
    """Compare additions to a counter."""
    flow, _ = ours()
    handle = flow.runs.with_labels(dag="orders", task="load", state="success")
    child = client_counter().labels(**LABELS)
    costs = microseconds({OURS: lambda: handle.add(1), CLIENT: lambda: child.inc(1)})
    return Row("handle.add", costs, BUDGETS)


def histogram_row() -> Row:
    """Compare recordings into a histogram."""
    flow, _ = ours()
    handle = flow.duration.with_labels(dag="orders", task="load", state="success")
    child = client_histogram().labels(**LABELS)
    costs = microseconds({OURS: lambda: handle.record(0.02), CLIENT: lambda: child.observe(0.02)})
    return Row("handle.record", costs, BUDGETS)


def gauge_row() -> Row:
    """Compare values of a gauge; otel_meta also stores the time."""
    flow, _ = ours()
    handle = flow.waiting.with_labels(dag="orders", task="load", state="success")
    child = client_gauge().labels(**LABELS)
    return Row(
        "handle.set", microseconds({OURS: lambda: handle.set(7), CLIENT: lambda: child.set(7)}), {}
    )


def main() -> None:
    """Print the table."""
    print_table([counter_row(), histogram_row(), gauge_row()], (CLIENT,))


if __name__ == "__main__":
    main()

"""The cost of a recording with labels in three libraries. ``make bench``."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Final

from baselines import (
    CLIENT,
    LABELS,
    SDK,
    Flow,
    client_counter,
    client_gauge,
    client_histogram,
    meter,
    ours,
    sdk_histogram,
    tracer,
)
from comparison import OURS, Call, Row, microseconds, print_table

BUDGETS: Final = {SDK: 1 / 10, CLIENT: 1 / 3}


def counter_calls(flow: Flow) -> dict[str, Call]:
    """Compare additions to a counter with three labels."""
    add, sdk, client = flow.runs.add, meter().create_counter("flow.runs").add, client_counter()
    return {
        OURS: lambda: add(1, dag="orders", task="load", state="success"),
        SDK: lambda: sdk(1, LABELS),
        CLIENT: lambda: client.labels(dag="orders", task="load", state="success").inc(),
    }


def default_calls(flow: Flow) -> dict[str, Call]:
    """Compare additions with an omitted label, a feature of otel_meta only."""
    add = flow.runs.add
    return counter_calls(flow) | {OURS: lambda: add(1, dag="orders", task="load")}


def gauge_calls(flow: Flow) -> dict[str, Call]:
    """Compare values of a gauge with three labels."""
    set_, sdk, client = flow.waiting.set, meter().create_gauge("flow.waiting").set, client_gauge()
    return {
        OURS: lambda: set_(7, dag="orders", task="load", state="success"),
        SDK: lambda: sdk(7, LABELS),
        CLIENT: lambda: client.labels(dag="orders", task="load", state="success").set(7),
    }


def histogram_calls(flow: Flow) -> dict[str, Call]:
    """Compare recordings into a histogram with three labels."""
    record, sdk, client = flow.duration.record, sdk_histogram().record, client_histogram()
    return {
        OURS: lambda: record(0.02, dag="orders", task="load", state="success"),
        SDK: lambda: sdk(0.02, LABELS),
        CLIENT: lambda: client.labels(dag="orders", task="load", state="success").observe(0.02),
    }


def timer_calls(flow: Flow) -> dict[str, Call]:
    """Compare timers of an empty block; the SDK has none, so its timer is written by hand."""
    time, sdk, client = flow.duration.time, sdk_histogram().record, client_histogram()

    def by_us() -> None:
        with time(dag="orders", task="load", state="success"):
            pass

    def by_hand() -> None:
        start = perf_counter()
        try:
            pass
        finally:
            sdk(perf_counter() - start, LABELS)

    def by_client() -> None:
        with client.labels(dag="orders", task="load", state="success").time():
            pass

    return {OURS: by_us, SDK: by_hand, CLIENT: by_client}


def main() -> None:
    """Print the table."""
    flow, storage = ours()
    spans = tracer(storage)
    rows = [
        _row("counter.add", counter_calls(flow), BUDGETS),
        _row("counter.add, a label left out", default_calls(flow), BUDGETS),
        _row("histogram.record", histogram_calls(flow), BUDGETS),
        _row("gauge.set", gauge_calls(flow)),
        _row("histogram.time of nothing", timer_calls(flow)),
    ]
    with spans.start_as_current_span("benchmark"):
        rows.append(_row("counter.add in a sampled span", counter_calls(flow), {SDK: 1 / 10}))
        rows.append(
            _row("histogram.record in a sampled span", histogram_calls(flow), {SDK: 1 / 10})
        )
    flow, storage = ours()
    elsewhere = tracer(storage).start_span("benchmark")
    rows.append(_row("counter.add, a sampled span lives elsewhere", counter_calls(flow)))
    elsewhere.end()
    print_table(rows, (SDK, CLIENT))


def _row(title: str, calls: Mapping[str, Call], budgets: Mapping[str, float] | None = None) -> Row:
    return Row(f"{title}, 3 labels", microseconds(calls), budgets or {})


if __name__ == "__main__":
    main()

"""The costs of otel_meta, measured as the programs in Go and Rust measure their clients."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple

from otel_meta import Counter, Histogram, MetaRepo, labels
from otel_meta.testing import capture

from .tables import Costs

_SERIES: Final = 1000
_ROUNDS: Final = 9
_CALLS: Final = 50_000
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Format(NamedTuple):
    """A text format of the page."""

    title: str
    accept: str


FORMATS: Final = (
    Format("otel_meta, OpenMetrics 2.0", "application/openmetrics-text;version=2.0.0"),
    Format("otel_meta, OpenMetrics 1.0", "application/openmetrics-text;version=1.0.0"),
)


@labels
class Query:
    """Two labels, as most metrics have."""

    operation: str
    table: str


class Shop(MetaRepo, name="shop", owner="shop"):
    """The exposed metrics."""

    orders = Counter("shop.orders", "Orders.", Query, max_series=_SERIES)
    duration = Histogram(
        "shop.query.duration", "Time of a query.", Query, unit="s", buckets=_BUCKETS
    )


def ours() -> Mapping[str, Callable[[], Costs]]:
    """Return a measurement for each format of the page, by title."""
    with capture("bench", Shop) as captured:
        shop = captured.bind(Shop)
        scrape = captured.telemetry.scrape
    if scrape is None:
        raise AssertionError("there is nothing to scrape")
    add, record = shop.orders.add, shop.duration.record

    def change() -> None:
        for n in range(_SERIES):
            add(n / 97, operation="select", table=f"t{n}")
            record(n / 97, operation="select", table=f"t{n}")

    def measure(accept: str) -> Costs:
        by_name = {"operation": "select", "table": "t7"}
        return Costs(
            page_ns=_best(1, lambda: scrape.render(accept), change),
            page_bytes=len(scrape.render(accept)[0]),
            add_ns=_best(_CALLS, lambda: add(1, operation="select", table="t7")),
            map_ns=_best(_CALLS, lambda: add(1, **by_name)),
        )

    return {each.title: partial(measure, each.accept) for each in FORMATS}


def _best(
    calls: int, call: Callable[[], object], prepare: Callable[[], object] = lambda: None
) -> float:
    """Return the CPU nanoseconds of one call in the fastest round.

    Args:
        calls: the number of calls in a round.
        call: what is timed.
        prepare: called before each round.
    """
    return min(_round(calls, call, prepare) for _ in range(_ROUNDS))


def _round(calls: int, call: Callable[[], object], prepare: Callable[[], object]) -> float:
    prepare()
    start = time.process_time_ns()
    for _ in range(calls):
        call()
    return (time.process_time_ns() - start) / calls

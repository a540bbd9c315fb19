"""The costs of otel_meta, measured as the programs in Go and Rust measure their clients."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import scraping

from otel_meta.testing import capture

from .tables import Costs

_ROUNDS: Final = 9
_CALLS: Final = 50_000

FORMATS: Final = {
    f"otel_meta, {name}": scraping.FORMATS[name] for name in ("OpenMetrics 2.0", "OpenMetrics 1.0")
}
"""The Accept header by the title of a format."""


def ours() -> Mapping[str, Callable[[], Costs]]:
    """Return a measurement for each format of the page, by title."""
    with capture("bench", scraping.Shop) as captured:
        shop = captured.bind(scraping.Shop)
        scrape = captured.telemetry.scrape
    if scrape is None:
        raise AssertionError("there is nothing to scrape")
    add, record = shop.orders.add, shop.duration.record

    def change() -> None:
        for n in range(scraping.SERIES):
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

    return {title: partial(measure, accept) for title, accept in FORMATS.items()}


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

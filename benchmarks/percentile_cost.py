"""The cost of a percentile over seven days: from recorded layers, and from raw series.

Prometheus evaluates the rules of one percentile over the hours that they record in seven days, for
services with one route each. Processes and routes concern the first rule alone, which reads five
minutes. For comparison, one query reads seven days of raw buckets of a single process.

``python benchmarks/percentile_cost.py`` takes some minutes. ``--services 1 10`` is shorter.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from scale.backend import Prometheus, machine, prometheus
from scale.fleet import Series, Values
from scale.history import EVALUATION, SCRAPE, UNCOMPACTED, Timed, write_raw
from scale.table import DOCUMENT, put, table

from otel_meta.render.rules.measures.measure_layers import HOUR, STEP
from otel_meta.render.rules.measures.measure_promql import expression, layers_of
from otel_meta.repos import Nebula

SERVICES: Final = (1, 10, 100)
RAW_SERIES: Final = 60
_WEEK: Final = 7 * 86_400
_RUNS: Final = 3
_METRIC: Final = Nebula.http_requests
_BOUNDS: Final = (*map(str, _METRIC.buckets), "+Inf")
_BUCKET: Final = f"{_METRIC.prometheus_name}_bucket"
_RAW: Final = (
    f"histogram_quantile(0.99, sum by (service_namespace, service_name, le) (rate({_BUCKET}[7d])))"
)


def layers(services: int, end: int) -> Iterator[Timed]:
    """Yield seven days of hours, an hour of steps, and ten minutes of raw buckets."""
    recorded = layers_of(Nebula.api_latency_p99.measure, Nebula.name)
    minutes, hours = (layer.record for layer in recorded)
    past = end - HOUR.seconds - STEP.seconds
    for service in range(services):
        for bound in _BOUNDS:
            labels = _labels(service, bound)
            yield _series(hours + labels, 0), range(end - _WEEK, end, EVALUATION)
            yield _series(minutes + labels, 0), range(past, end, EVALUATION)
            yield _series(_BUCKET + labels, 1), range(end - 600, end, SCRAPE)


def raw(series: int, end: int) -> Iterator[Timed]:
    """Yield seven days of raw buckets of one service."""
    for number in range(series):
        labels = _labels(0, _BOUNDS[number % len(_BOUNDS)], f"/{number // len(_BOUNDS)}")
        yield _series(_BUCKET + labels, 1), range(end - _WEEK, end, SCRAPE)


def _labels(service: int, le: str, route: str = "") -> str:
    name = f'service_namespace="{Nebula.name}",service_name="service-{service:03}"'
    return f'{{{name},le="{le}",http_route="{route}"}}' if route else f'{{{name},le="{le}"}}'


def _series(head: str, step: float) -> Series:
    return Series(head, Values(100, step))


def cost(served: Prometheus, exprs: Sequence[str], end: int) -> tuple[int, float, int]:
    """Return the samples of all expressions, the seconds of the fastest run, and the peak."""
    samples, seconds, peak = 0, 0.0, 0
    for expr in exprs:
        stats = [served.query(expr, end - 1)["stats"] for _ in range(_RUNS)]
        samples += stats[0]["samples"]["totalQueryableSamples"]
        seconds += min(one["timings"]["evalTotalTime"] for one in stats)
        peak = max(peak, stats[0]["samples"]["peakSamples"])
    return samples, seconds, peak


def rows(services: Sequence[int]) -> Iterator[tuple[object, ...]]:
    """Yield the cost of all rules of one percentile by services, and of one query of raw series."""
    end = int(time.time()) // 3600 * 3600
    measure = Nebula.api_latency_p99.measure
    exprs = [layer.expr for layer in layers_of(measure, Nebula.name)]
    exprs.append(expression(measure, Nebula.name))
    for count in services:
        samples, seconds, peak = _measured(layers(count, end), exprs, end)
        yield f"recorded layers, {count} services", samples, 1_000 * seconds, peak
    samples, seconds, peak = _measured(raw(RAW_SERIES, end), [_RAW], end)
    yield f"raw, one process with {RAW_SERIES} buckets", samples, 1_000 * seconds, peak


def _measured(series: Iterator[Timed], exprs: Sequence[str], end: int) -> tuple[int, float, int]:
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        write_raw(series, folder)
        with prometheus(folder, "global: {scrape_interval: 1h}", *UNCOMPACTED) as served:
            return cost(served, exprs, end)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure the cost of a percentile over days.")
    parser.add_argument("--services", type=int, nargs="+", default=SERVICES, metavar="N")
    parser.add_argument("--write", action="store_true", help="put the table into docs/scale.md")
    options = parser.parse_args()
    head = (machine(), "samples a round", "milliseconds", "most samples at a time")
    text = table(head, rows(options.services))
    print(text)
    if options.write:
        put(DOCUMENT, "percentile_cost", text)


if __name__ == "__main__":
    main()

"""Services for Prometheus to scrape, with values of every instrument."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import product
from typing import Any

from otel_meta.model import Catalog, Histogram, Instrument, MetaRepo
from otel_meta.model.labels import Label
from otel_meta.testing import CapturedTelemetry, capture
from tests.page_server import PageServer

_VALUES_PER_LABEL = 4
"""Number of values used of each closed label; the values that SLOs select are among the first."""


class ScrapedService:
    """A service of one meta-repository."""

    def __init__(self, repo: type[MetaRepo], telemetry: CapturedTelemetry) -> None:
        self.repo = repo
        self.telemetry = telemetry
        self._live = telemetry.bind(repo)

    def record(self) -> None:
        """Record with every instrument and most label values; most events are bad for their SLO."""
        for attribute, instrument in self.repo.instruments.items():
            for labels in _labels(instrument.label_fields):
                _record(instrument, getattr(self._live, attribute), labels)

    def text(self) -> bytes:
        """Return the response to a scrape."""
        return self.telemetry.prometheus_text().encode()


@contextmanager
def scraped_services(catalog: Catalog) -> Iterator[tuple[int, Sequence[ScrapedService]]]:
    """Serve one service per meta-repository on a port; the path is the meta-repository's name."""
    with ExitStack() as stack:
        services = [
            ScrapedService(repo, stack.enter_context(capture(f"{repo.name}-service", repo)))
            for repo in catalog
        ]
        pages = {f"/{service.repo.name}": service.text for service in services}
        server = stack.enter_context(PageServer(lambda path: pages[path]()))
        yield server.port, services


def _labels(fields: Sequence[Label]) -> Iterator[dict[str, str]]:
    for values in product(*(_values(field) for field in fields)):
        yield dict(zip((field.name for field in fields), values, strict=True))


def _values(field: Label) -> tuple[str, ...]:
    values = field.values or ("x",)
    if field.default is None or field.default in values:
        return values[:_VALUES_PER_LABEL]
    return (field.default, *values)[:_VALUES_PER_LABEL]


def _record(instrument: Instrument[...], live: Any, labels: dict[str, str]) -> None:
    match instrument:
        case Histogram():
            live.record(instrument.buckets[0], **labels)
            live.record(2 * instrument.buckets[-1], **labels)
        case _ if instrument.kind == "gauge":
            live.set(0.5, **labels)
        case _ if instrument.monotonic:
            live.add(1, **labels)
            live.add(-1, **labels)  # a fault, which is counted
        case _:
            live.add(1, **labels)

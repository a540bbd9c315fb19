"""Six services, one a meta-repository, that record with every instrument and every label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from otel_meta.model import Counter, Histogram, Instrument, MetaRepo
from otel_meta.model.labels import Label
from otel_meta.repos import BUILTIN
from otel_meta.testing import CapturedTelemetry, capture

OPEN = 'a "quoted" \\ back-slashed é\nline'
"""For labels that take anything: what a path might escape in its own way."""
_SMALL = 12
"""Closed labels of up to so many values are recorded with each of them."""


class Service:
    """One service, bound to its meta-repository."""

    def __init__(self, repo: type[MetaRepo], telemetry: CapturedTelemetry) -> None:
        self.telemetry = telemetry
        self._repo = repo
        self._live = telemetry.bind(repo)

    @property
    def port(self) -> int:
        """Where it is scraped."""
        metrics = self.telemetry.telemetry.metrics
        assert metrics is not None
        assert metrics.server is not None
        return metrics.server.port

    def work(self) -> None:
        """Record once with every instrument and every value of every label."""
        for attribute, instrument in self._repo.instruments.items():
            for labels in _labels(instrument.label_fields):
                _record(instrument, getattr(self._live, attribute), labels)

    def export(self) -> None:
        """Push, where it pushes."""
        self.telemetry.telemetry.flush()


@contextmanager
def fleet(**settings: Any) -> Iterator[Sequence[Service]]:
    """The services, with these settings of `configure`."""
    with ExitStack() as stack:
        yield [
            Service(repo, stack.enter_context(capture(f"{repo.name}-service", repo, **settings)))
            for repo in BUILTIN
        ]


def _labels(fields: Sequence[Label]) -> Iterator[dict[str, str]]:
    """As few sets of labels as have every value of each."""
    values = {field.name: _values(field) for field in fields}
    for n in range(max(map(len, values.values()), default=1)):
        yield {name: some[n % len(some)] for name, some in values.items()}


def _values(field: Label) -> tuple[str, ...]:
    some = (OPEN,) if field.values is None else field.values[:_SMALL]
    return some if field.default is None else (field.default, *some)


def _record(instrument: Instrument[...], live: Any, labels: dict[str, str]) -> None:
    match instrument:
        case Histogram():
            live.record(instrument.buckets[0], **labels)
            live.record(2 * instrument.buckets[-1], **labels)
        case Counter():
            live.add(2, **labels)
        case _ if instrument.kind == "gauge":
            live.set(0.5, **labels)
        case _:
            live.add(-1.5, **labels)

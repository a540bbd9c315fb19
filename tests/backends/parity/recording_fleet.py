"""Six services, one a meta-repository, with all instruments and label values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from otel_meta.model import Counter, Histogram, Instrument, MetaRepo
from otel_meta.model.labels import Label
from otel_meta.repos import BUILTIN
from otel_meta.testing import CapturedTelemetry, capture
from tests.waiting import TIMEOUT

OPEN_VALUE = 'a "quoted" \\ back-slashed é\nline'
"""A value of open labels, with characters that an export path might escape differently."""
_ALL_VALUES_UP_TO = 12
"""Each value is recorded of a closed label with at most so many values."""
_METRICS_ONLY: Mapping[str, Any] = {
    "traces": "none",
    "logs": "none",
    "environ": {"OTEL_EXPORTER_OTLP_TIMEOUT": f"{TIMEOUT * 1000:.0f}"},
}
"""Settings without failed exports: each would be a fault, and a difference between paths."""


RESOURCES: Mapping[str, Mapping[str, str]] = {
    "nebula-cloud-platform": {"deployment.environment.name": "staging", "cloud.region": "eu-1"},
    "titan-microservices-mesh": {"deployment.environment.name": "production", "cluster": "blue"},
}
"""The place of some services; the others have none."""


class RecordingService:
    """A service, bound to its meta-repository."""

    def __init__(self, repo: type[MetaRepo], telemetry: CapturedTelemetry) -> None:
        self.telemetry = telemetry
        self._repo = repo
        self._live = telemetry.bind(repo)

    @property
    def port(self) -> int:
        """The port of ``/metrics``."""
        metrics = self.telemetry.telemetry.metrics
        assert metrics is not None
        assert metrics.server is not None
        return metrics.server.port

    def record(self) -> None:
        """Record once with every instrument and every value of every label."""
        for attribute, instrument in self._repo.instruments.items():
            for labels in _label_sets(instrument.label_fields):
                _record(instrument, getattr(self._live, attribute), labels)

    def export(self) -> None:
        """Push the metrics, if the service pushes."""
        self.telemetry.telemetry.flush(TIMEOUT)


@contextmanager
def recording_fleet(**settings: Any) -> Iterator[Sequence[RecordingService]]:
    """Run the six services with these settings of `configure`, and export metrics only.

    Log records of the whole session would reach the logger of the latest service. Prometheus does
    not accept logs, so each record would count as a fault.
    """
    with ExitStack() as stack:
        yield [
            RecordingService(
                repo,
                stack.enter_context(
                    capture(
                        f"{repo.name}-service",
                        repo,
                        resource_attributes=RESOURCES.get(repo.name),
                        identity_attributes=("cloud.region",),
                        **_METRICS_ONLY,
                        **settings,
                    )
                ),
            )
            for repo in BUILTIN
        ]


def _label_sets(fields: Sequence[Label]) -> Iterator[dict[str, str]]:
    """Yield the smallest number of label sets that contains every value of each label."""
    values = {field.name: _values(field) for field in fields}
    for n in range(max(map(len, values.values()), default=1)):
        yield {name: choices[n % len(choices)] for name, choices in values.items()}


def _values(field: Label) -> tuple[str, ...]:
    values = (OPEN_VALUE,) if field.values is None else field.values[:_ALL_VALUES_UP_TO]
    return values if field.default is None else (field.default, *values)


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

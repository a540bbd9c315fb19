"""The counts of a service's events by label, which causes are found in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Final

from otel_meta.fleet.prometheus_api import PrometheusApi
from otel_meta.model import Duration, MetaRepo, Slo
from otel_meta.render.options import Options
from otel_meta.render.rules.excess import INSTANCE, Excess, cause_labels, failure_labels
from otel_meta.status.events import Events
from otel_meta.status.promql_text import equals

from .causes import Cells, Part

_ADDED: Final = (
    *("service_version", "version", "deployment", "canary"),
    *(INSTANCE, "pod", "k8s_pod_name", "node", "k8s_node_name", "host", "host_name"),
    *("zone", "cloud_availability_zone", "region", "cloud_region"),
)
"""Labels that a scrape or a promoted resource may add; a series without them loses nothing."""


@dataclass(frozen=True, kw_only=True)
class ExcessCounts:
    """The counts of an SLO of one service.

    Args:
        api: the server.
        repo: the meta-repository of the SLO.
        slo: the SLO.
        service: the labels of the service.
        options: the labels of identity, and the version of Prometheus.
    """

    api: PrometheusApi
    repo: type[MetaRepo]
    slo: Slo
    service: Mapping[str, str]
    options: Options

    @property
    def where(self) -> tuple[str, ...]:
        """The matchers of the service: a place that it lacks is empty."""
        labels = self.options.identity.service[1:]
        return tuple(equals(label, self.service.get(label, "")) for label in labels)

    def cells(self, span: Duration, at: float) -> Cells:
        """Return the events of a span by every label that may be a cause."""
        added = (*_ADDED, *self.options.foreign.labels)
        labels = tuple(dict.fromkeys((*cause_labels(self.repo, self.slo), *added)))
        bad, total = self._excess(span).counts(labels)
        failed = self._by(bad, labels, at)
        events = {
            values: Events(min(failed.get(values, 0.0), count), count)
            for values, count in self._by(total, labels, at).items()
            if count > 0
        }
        return Cells(labels, events)

    def kinds(self, part: Part, span: Duration, at: float) -> dict[Part, float]:
        """Return the bad events of a part by the labels that say how an event fails."""
        labels = failure_labels(self.repo, self.slo)
        if not labels:
            return {}
        found = self._by(self._excess(span).counts(labels, *matchers(part)).bad, labels, at)
        kinds = ((_named(labels, values), bad) for values, bad in found.items() if bad > 0)
        return dict(sorted(kinds, key=lambda kind: -kind[1]))

    def _excess(self, span: Duration) -> Excess:
        return Excess(
            repo=self.repo, slo=self.slo, span=span, options=self.options, where=self.where
        )

    def _by(self, query: str, labels: Iterable[str], at: float) -> dict[tuple[str, ...], float]:
        return {
            tuple(sample.labels.get(label, "") for label in labels): sample.value
            for sample in self.api.instant(query, at)
            if isfinite(sample.value)
        }


def matchers(part: Part) -> tuple[str, ...]:
    """Return the matchers of a part."""
    return tuple(equals(label, value) for label, value in part)


def _named(labels: Iterable[str], values: Iterable[str]) -> Part:
    return tuple((label, value) for label, value in zip(labels, values, strict=True) if value)

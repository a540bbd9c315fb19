"""Series beside the catalogue: of Prometheus itself, and of other programs that are scraped.

The check cannot know their labels, so it accepts any label. A family of a program is known by its
prefix.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final

from otel_meta.model.arguments import nearest_name

from .promql.series_type import UNKNOWN, SeriesType
from .promql.values import ANY, PRESENT, Values, one_of

_TARGET: Final = SeriesType({"job": PRESENT, "instance": PRESENT}, ANY, "gauge")

SERIES: Final[Mapping[str, SeriesType]] = MappingProxyType(
    {
        "up": _TARGET,  # 1 if the scrape succeeded
        "target_info": _TARGET,  # from exporters: the other resource attributes
        "ALERTS": UNKNOWN.having(  # 1 for an alert that is pending or firing
            {"alertname": PRESENT, "alertstate": one_of(["pending", "firing"])}
        ),
        "ALERTS_FOR_STATE": UNKNOWN.having({"alertname": PRESENT}),  # when the alert became active
    }
)
FAMILIES: Final[Mapping[re.Pattern[str], SeriesType]] = MappingProxyType(
    {re.compile(r"scrape_[a-z_]+"): _TARGET}  # of each scrape
)

PREFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "prometheus_": "https://prometheus.io/docs/prometheus/latest/getting_started/",
        "alertmanager_": "https://prometheus.io/docs/alerting/latest/alertmanager/",
        "promhttp_": "https://github.com/prometheus/client_golang/tree/main/prometheus/promhttp",
        "net_conntrack_": "https://github.com/mwitkow/go-conntrack",
        "go_": "https://github.com/prometheus/client_golang/tree/main/prometheus/collectors",
        "process_": "https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics",
        "python_": "https://prometheus.github.io/client_python/collector/",
        "otelcol_": "https://opentelemetry.io/docs/collector/internal-telemetry/",
        "node_": "https://github.com/prometheus/node_exporter#collectors",
        "windows_": "https://github.com/prometheus-community/windows_exporter#collectors",
        "probe_": "https://github.com/prometheus/blackbox_exporter",
        "blackbox_": "https://github.com/prometheus/blackbox_exporter",
        "kube_": "https://github.com/kubernetes/kube-state-metrics/tree/main/docs",
        "kubelet_": "https://kubernetes.io/docs/reference/instrumentation/metrics/",
        "kubernetes_": "https://kubernetes.io/docs/reference/instrumentation/metrics/",
        "apiserver_": "https://kubernetes.io/docs/reference/instrumentation/metrics/",
        "scheduler_": "https://kubernetes.io/docs/reference/instrumentation/metrics/",
        "workqueue_": "https://kubernetes.io/docs/reference/instrumentation/metrics/",
        "rest_client_": "https://kubernetes.io/docs/reference/instrumentation/metrics/",
        "container_": "https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md",
        "machine_": "https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md",
        "etcd_": "https://etcd.io/docs/latest/metrics/",
        "coredns_": "https://coredns.io/plugins/metrics/",
        "thanos_": "https://thanos.io/tip/components/",
        "cortex_": "https://grafana.com/docs/mimir/latest/manage/monitor-grafana-mimir/",
        "vm_": "https://docs.victoriametrics.com/#monitoring",
        "vmalert_": "https://docs.victoriametrics.com/vmalert/#monitoring",
        "grafana_": "https://grafana.com/docs/grafana/latest/setup-grafana/set-up-grafana-monitoring/",
        "jaeger_": "https://www.jaegertracing.io/docs/latest/operations/monitoring/",
        "traces_span_metrics_": "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/connector/spanmetricsconnector",
    }
)
"""Prefixes of the metrics of usual programs, each with a page about the metrics."""

TARGET_LABELS: Final = (
    *("job", "instance", "service", "endpoint"),
    *("namespace", "pod", "container", "node", "host"),
)
"""Labels that scraping usually adds to the series of a target.

https://prometheus.io/docs/concepts/jobs_instances/ for job and instance; targets of the Prometheus
operator have the others (pkg/prometheus/promcfg.go)."""

EXTERNAL_LABELS: Final = (
    *("cluster", "region", "zone", "environment", "deployment_environment_name", "tenant"),
    *("prometheus", "prometheus_replica", "replica"),
)
"""Labels that a server usually adds to everything that it sends: in a view over several servers,
recordings and ``ALERTS`` have them as well."""


class ForeignSeries:
    """Series of other programs, by default lists and by the user's patterns."""

    def __init__(self, patterns: Iterable[str] = (), labels: Iterable[str] = ()) -> None:
        """Add the user's names to the usual ones.

        Args:
            patterns: names of metrics, with ``*`` and ``?``.
            labels: labels of every series.
        """
        self._patterns: Final = tuple(patterns)
        self._everywhere: Final = dict.fromkeys((*EXTERNAL_LABELS, *labels), ANY)
        self._of_targets: Final = dict.fromkeys(TARGET_LABELS, ANY) | self._everywhere

    def scraped(self, series: SeriesType) -> SeriesType:
        """Return a scraped series with the labels that a server may add."""
        return _with_more(series, self._of_targets)

    def recorded(self, series: SeriesType) -> SeriesType:
        """Return a recorded series with the labels that a server may add."""
        return _with_more(series, self._everywhere)

    def find(self, name: str, declared: Iterable[str]) -> SeriesType | None:
        """Return the type of a foreign series; None if the name is unknown.

        A name that resembles a declared metric of the same prefix is a misspelt name of the
        catalogue, not the name of another program's metric.
        """
        if any(fnmatchcase(name, pattern) for pattern in self._patterns):
            return UNKNOWN
        families = (found for pattern, found in FAMILIES.items() if pattern.fullmatch(name))
        found = SERIES.get(name) or next(families, None)
        prefix = next(filter(name.startswith, PREFIXES), None)
        if found or prefix is None:
            return found
        of_catalog = [each for each in declared if each.startswith(prefix)]
        return None if nearest_name(name, of_catalog) else UNKNOWN


def _with_more(series: SeriesType, labels: Mapping[str, Values]) -> SeriesType:
    """Add labels, where the series has no label of the name."""
    return series.having(
        {label: values for label, values in labels.items() if not series.may_have(label)}
    )

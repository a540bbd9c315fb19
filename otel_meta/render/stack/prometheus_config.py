"""Prometheus' configuration: flags, scrape targets, rule files, Alertmanager, OTLP receiver."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from otel_meta.model import Catalog, Duration
from otel_meta.model.identity import DEFAULT, Identity
from otel_meta.render._yaml import comment, to_yaml
from otel_meta.render.collector.env_variables import GATEWAY_METRICS_PORT, GATEWAY_SELF_METRICS_PORT
from otel_meta.render.header import generated_from
from otel_meta.render.hosts import ALERTMANAGER, GATEWAYS, PROMETHEUS, SCRAPE_INTERVAL
from otel_meta.render.options import Options
from otel_meta.render.rules.intervals import EVALUATION_INTERVAL

LOOK_BACK: Final = Duration("8d")
"""Time before an SLO period that rules and dashboards read: a week, and the hours of a gap."""
SCRAPE_CONFIGS: Final = "scrape_configs.yml"
TARGETS_DIR: Final = "targets"

_SHORTEST_RETENTION: Final = Duration("30d")
_DISK: Final = "50GB"
_FEATURES: Final = ("exemplar-storage", "created-timestamp-zero-ingestion", "openmetrics2")
"""Exemplars; a zero at the start of a series, so that its first events count; and the format of
/metrics that has this start and a line for each histogram.

The features st-storage and use-start-timestamps count as exactly, but write blocks that older
releases and other programs cannot read. A zero is a sample like any other.
"""
_PROTOCOLS: Final = (
    "PrometheusProto",
    "OpenMetricsText2.0.0",
    "OpenMetricsText1.0.0",
    "OpenMetricsText0.0.1",
    "PrometheusText0.0.4",
)
"""The formats of scrapes, the preferred first: the default of Prometheus, and OpenMetrics 2.0."""
_NATIVE_HISTOGRAMS: Final = {
    "scrape_native_histograms": True,
    "convert_classic_histograms_to_nhcb": True,
    **comment("Dashboards and measures read the classic buckets."),
    "always_scrape_classic_histograms": True,
}
_DEFAULT: Final = Options()
_COMMENT: Final = generated_from("otel_meta/render/stack/prometheus_config.py")
_SCRAPE_COMMENT: Final = f"""\
{_COMMENT}
The scrape configurations of services and Collectors. In a Prometheus of your own:
  scrape_config_files: [path/to/{SCRAPE_CONFIGS}]
or copy the jobs. A service is a line in a file of targets/, which Prometheus reads again by itself.
Rules find a service by the labels service_namespace and service_name of its series, and not by job:
the process sets them from its resource. The labels environment and cluster, if you have several,
are attributes of the resource, labels of a target here, or external_labels of Prometheus."""
_TARGETS_COMMENT: Final = f"""\
{_COMMENT}
Add your services in files of your own in this folder:
  sidecars-NAME.yml   the port 8889 of each sidecar, for services that export by OTLP, and the port
                      {GATEWAY_METRICS_PORT.default} of each gateway, for jobs without a sidecar
  services-NAME.yml   the port of each service that serves /metrics itself
in this form: [{{targets: ["shop:8000"], labels: {{environment: production}}}}]"""


def arguments(catalog: Catalog) -> tuple[str, ...]:
    """Return the command-line options of Prometheus."""
    return (
        "--storage.tsdb.path=/prometheus",
        f"--storage.tsdb.retention.time={retention(catalog)}",
        f"--storage.tsdb.retention.size={_DISK}",
        f"--enable-feature={','.join(_FEATURES)}",
        "--web.enable-otlp-receiver",
    )


def retention(catalog: Catalog) -> Duration:
    """Return the time that Prometheus has to keep samples: the longest period and the look-back."""
    periods = (slo.period for repo in catalog for slo in repo.slos.values())
    longest = max(periods, default=_SHORTEST_RETENTION)
    seconds = max(longest, _SHORTEST_RETENTION).seconds + LOOK_BACK.seconds
    return Duration(f"{-(-seconds // Duration('1d').seconds)}d")


def prometheus_file(identity: Identity = DEFAULT) -> str:
    """Return the text of prometheus.yml."""
    config = {
        "global": {
            "scrape_interval": SCRAPE_INTERVAL,
            "evaluation_interval": str(EVALUATION_INTERVAL),
            **comment("OpenMetricsText2.0.0 needs --enable-feature=openmetrics2."),
            "scrape_protocols": [*_PROTOCOLS],
        },
        "rule_files": ["../rules/*.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [_targets([str(ALERTMANAGER)])]}]},
        "scrape_config_files": [SCRAPE_CONFIGS],
        "scrape_configs": [_monitoring()],
        "otlp": _otlp(identity),
        "storage": {
            **comment("After an outage, OTLP exports arrive late; Prometheus still accepts them."),
            "tsdb": {"out_of_order_time_window": "30m"},
            "exemplars": {"max_exemplars": 100_000},
        },
    }
    return to_yaml(config, comment=_COMMENT)


def scrape_configs_file(options: Options = _DEFAULT) -> str:
    """Return the text of the scrape configurations of services and Collectors."""
    histograms = _NATIVE_HISTOGRAMS if options.native_histograms else {}
    return to_yaml(
        {
            "scrape_configs": [
                {
                    "job_name": "sidecars",
                    **comment("job and instance are labels of the service, not of the sidecar."),
                    "honor_labels": True,
                    **histograms,
                    **_from_files("sidecars"),
                },
                {
                    "job_name": "services",
                    **comment("Services without a sidecar: /metrics of the application itself."),
                    **comment("Labels of the service stay, also where a target has the same."),
                    "honor_labels": True,
                    **histograms,
                    **_from_files("services"),
                },
                {"job_name": "collectors", **_from_files("collectors")},
            ]
        },
        comment=_SCRAPE_COMMENT,
    )


def targets_file() -> str:
    """Return the text of the file with the Collectors' own metrics."""
    addresses = (f"{name}:{GATEWAY_SELF_METRICS_PORT.default}" for name in GATEWAYS)
    return to_yaml([_targets(addresses)], comment=_TARGETS_COMMENT)


def _from_files(kind: str) -> dict[str, Any]:
    return {"file_sd_configs": [{"files": [f"{TARGETS_DIR}/{kind}*.yml"]}]}


def _monitoring() -> dict[str, Any]:
    return {
        "job_name": "monitoring",
        "static_configs": [_targets([str(PROMETHEUS), str(ALERTMANAGER)])],
    }


def _otlp(identity: Identity) -> dict[str, Any]:
    """Give series pushed to /api/v1/otlp the same names and labels as scraped series."""
    return {
        "translation_strategy": "UnderscoreEscapingWithSuffixes",
        "promote_resource_attributes": [*identity.attributes],
    }


def _targets(addresses: Iterable[str]) -> dict[str, list[str]]:
    return {"targets": list(addresses)}

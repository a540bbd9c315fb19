"""The README of stack/."""

from __future__ import annotations

from typing import Final

from otel_meta.render.docs.markdown import code, page, table
from otel_meta.render.hosts import ALERTMANAGER, GRAFANA, JAEGER, PROMETHEUS

_SOURCE: Final = "otel_meta/render/stack/stack_readme.py"
_ADDRESSES: Final = (
    (GRAFANA, "Grafana with the dashboards; a click on an exemplar opens its trace"),
    (PROMETHEUS, "Prometheus: series, rules and alerts"),
    (ALERTMANAGER, "Alertmanager: notifications and inhibited alerts"),
    (JAEGER, "Jaeger: traces"),
)
_START: Final = "export GRAFANA_PASSWORD=...    # of Grafana's user admin\n"
_EXAMPLES: Final = "docker compose -f stack/compose.yaml -f stack/compose.examples.yaml"


def readme_file() -> str:
    """Return the text of the README."""
    rows = ([f"http://127.0.0.1:{host.port}", content] for host, content in _ADDRESSES)
    return page(
        "The stack",
        _SOURCE,
        "The stack consists of two gateways, Jaeger, Prometheus with the rules, Alertmanager, a "
        "container that prints notifications, and Grafana with the dashboards:",
        code(f"{_START}docker compose -f stack/compose.yaml up", "sh"),
        table(["address", "content"], rows),
        "## Your services",
        "A service that serves `/metrics` itself is a line in `targets/services-NAME.yml`, a "
        "service with a Collector sidecar a line in `targets/sidecars-NAME.yml`; "
        "`targets/collectors.yml` shows the form. Prometheus reads the files again by itself. "
        "`scrape_configs.yml` has the jobs for a Prometheus of your own: name the file in "
        "`scrape_config_files`, or copy the jobs. `honor_labels` keeps the labels of the service.",
        "Rules find a service by the labels `service_namespace` and `service_name` of its series, "
        "which the process sets. `environment` and `cluster` belong to the identity where a series "
        "has them: set the attribute `deployment.environment.name` of the resource, the labels of "
        "a target, or `external_labels` of Prometheus.",
        "Prometheus keeps samples for the longest SLO period and eight more days, by "
        "`--storage.tsdb.retention.time`. Prometheus' own default is 15 days: an SLO over 30 days "
        "would be an SLO over 15 days. `created-timestamp-zero-ingestion` stores a zero at the "
        "start of each series, so that the events of the first export count. `openmetrics2` reads "
        "the page of a service as OpenMetrics 2.0, which has this start: `scrape_protocols` names "
        "the format. A Prometheus before 3.15 knows neither, and starts once both are removed.",
        "`alertmanager.yml` sends all notifications to the container `notifications`; replace its "
        "URLs by your own webhooks (`otel-meta generate --page-webhook`).",
        "## The example services",
        "In a checkout of otel_meta, a second compose file adds three services, two of them with "
        "Collector sidecars, and a container that imitates customers:",
        code(f"{_START}{_EXAMPLES} up --build", "sh"),
        "To make payments fail, and to follow the notifications, of which the first arrives after "
        "some minutes:",
        code(
            "curl -X PUT http://127.0.0.1:8002/faults -H 'content-type: application/json' "
            "-d '{\"error_ratio\": 1}'\n"
            "docker compose -f stack/compose.yaml logs --follow notifications",
            "sh",
        ),
        "The service and its sidecar share the network of a third container. The third container "
        "never restarts by itself, so a restart of the service or of the sidecar leaves the other "
        "one connected. The service depends on the sidecar: Compose stops the service first, and "
        "the sidecar exports what the service sent last. When Docker itself ends, it stops all "
        "containers at once, and the last spans of a service can be lost.",
        "## Kubernetes",
        "`kubernetes/` has manifests for a cluster: the gateway, a service with its sidecar (by "
        "hand or by the OpenTelemetry operator), and ServiceMonitors and PrometheusRules for "
        "prometheus-operator. Choose one of the two sidecar files, delete the other, and apply "
        "the rest with `kubectl apply --server-side --recursive -f stack/kubernetes/`.",
        table(
            ["option of `otel-meta generate`", "effect"],
            [
                ["`--namespace NAME`", "namespace of gateway, rules and monitors"],
                [
                    "`--kubernetes-label release=NAME`",
                    "label of rules and monitors, by which kube-prometheus-stack selects them",
                ],
                [
                    "`--image collector=otel/opentelemetry-collector-contrib@sha256:...`",
                    "another image: by digest, or from another registry",
                ],
            ],
        ),
        "Images have tags, because a digest is of one registry and one release: pin the digests of "
        "the images that you have reviewed. Pods run in the restricted profile of Pod Security. "
        "An annotation with the hash of the configuration replaces pods when it changes. The "
        "NetworkPolicies admit pods with the label `otel-meta/metrics: sidecar` to the gateway, "
        "and Prometheus' pods in the namespace of the monitors to metrics; other ports are shut.",
    )

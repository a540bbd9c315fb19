"""The README of stack/."""

from __future__ import annotations

from typing import Final

from otel_meta.render.docs.markdown import code, page, table
from otel_meta.render.hosts import ALERTMANAGER, GRAFANA, JAEGER, PROMETHEUS, STOREFRONT

_SOURCE: Final = "otel_meta/render/stack/stack_readme.py"
_ADDRESSES: Final = (
    (GRAFANA, "Grafana with the dashboards; a click on an exemplar opens its trace"),
    (PROMETHEUS, "Prometheus: series, rules and alerts"),
    (ALERTMANAGER, "Alertmanager: notifications and inhibited alerts"),
    (JAEGER, "Jaeger: traces"),
    (STOREFRONT, "the example shop; `/slo` shows the state of its SLOs"),
)


def readme_file() -> str:
    """Return the text of the README."""
    rows = ([f"http://127.0.0.1:{host.port}", content] for host, content in _ADDRESSES)
    return page(
        "The stack",
        _SOURCE,
        "The stack consists of three example services, two of them with Collector sidecars, two "
        "gateways, Jaeger, Prometheus with the rules, Alertmanager, and Grafana with the "
        "dashboards:",
        code("docker compose -f stack/compose.yaml up --build", "sh"),
        table(["address", "content"], rows),
        "A container imitates customers. To make payments fail, and to follow the notifications:",
        code(
            "curl -X PUT http://127.0.0.1:8002/faults -H 'content-type: application/json' "
            "-d '{\"error_ratio\": 1}'\n"
            "docker compose -f stack/compose.yaml logs --follow notifications",
            "sh",
        ),
        "The first page arrives after some minutes. `alertmanager.yml` sends all notifications to "
        "the container `notifications`; replace its URLs by your own webhooks.",
        "`kubernetes/` has manifests for a cluster: the gateway, a service with its sidecar (by "
        "hand or by the OpenTelemetry operator), and ServiceMonitors and PrometheusRules for "
        "prometheus-operator. Choose one of the two sidecar files, delete the other, and apply "
        "the rest with `kubectl apply --server-side --recursive -f stack/kubernetes/`.",
    )

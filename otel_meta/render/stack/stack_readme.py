"""The page about the stack."""

from __future__ import annotations

from typing import Final

from otel_meta.render.docs.markdown import code, page, table

from .hosts import ALERTMANAGER, GRAFANA, JAEGER, PROMETHEUS, STOREFRONT

_SOURCE: Final = "otel_meta/render/stack/stack_readme.py"
_SHOWN: Final = (
    (GRAFANA, "the dashboards; from a dot of an exemplar to its trace"),
    (PROMETHEUS, "series, rules and alerts"),
    (ALERTMANAGER, "who is told, and what is kept back"),
    (JAEGER, "traces"),
    (STOREFRONT, "the shop; `/slo` says how its promises stand"),
)


def stack_page() -> str:
    """The file."""
    rows = ([f"http://127.0.0.1:{place.port}", what] for place, what in _SHOWN)
    return page(
        "The stack",
        _SOURCE,
        "Two example services with Collector sidecars, two gateways, Jaeger, Prometheus with the "
        "rules, Alertmanager and Grafana with the dashboards:",
        code("docker compose -f stack/compose.yaml up --build", "sh"),
        table(["address", "what is there"], rows),
        "Customers come by themselves. To break something, and to see who is told of it:",
        code(
            "curl -X PUT http://127.0.0.1:8002/faults -H 'content-type: application/json' "
            "-d '{\"error_ratio\": 1}'\n"
            "docker compose -f stack/compose.yaml logs --follow notifications",
            "sh",
        ),
        "A page comes after some minutes. `alertmanager.yml` tells only that container: put your "
        "own webhooks in its place.",
        "`kubernetes/` has the same for a cluster: the gateway, a service with its sidecar (by "
        "hand or by the OpenTelemetry operator), and ServiceMonitors and PrometheusRules for "
        "prometheus-operator. Apply them with `kubectl apply --server-side --recursive -f "
        "stack/kubernetes/`, one of the two sidecar files left out.",
    )

"""NetworkPolicies: who may connect to the gateway, and to the metrics of a sidecar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from otel_meta.render._yaml import comment
from otel_meta.render.collector import env_variables

from .common_manifests import SIDECAR_METRICS, Manifest, manifest, selector

_PROMETHEUS: Final = {"app.kubernetes.io/name": "prometheus"}
"""The label of Prometheus' pods, as prometheus-operator sets it."""


def gateway_policy(name: str, namespace: str) -> Manifest:
    """Return the policy of the gateway: sidecars send traces, and Prometheus scrapes."""
    senders = {"namespaceSelector": {}, "podSelector": {"matchLabels": SIDECAR_METRICS}}
    spec = {
        "podSelector": selector(name),
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                **comment("Pods of all namespaces with a sidecar, by their label."),
                "from": [senders],
                "ports": _ports(env_variables.GATEWAY_PORT),
            },
            _scrapes(
                namespace,
                env_variables.GATEWAY_SELF_METRICS_PORT,
                env_variables.GATEWAY_METRICS_PORT,
            ),
        ],
    }
    return manifest("networking.k8s.io/v1", "NetworkPolicy", name, namespace=namespace, spec=spec)


def service_policy(name: str, port: int, namespace: str) -> Manifest:
    """Return the policy of a service with a sidecar.

    Args:
        name: name of the service.
        port: port of the service, open to all.
        namespace: namespace of Prometheus.
    """
    spec = {
        "podSelector": selector(name),
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                **comment("The service itself. Add its other ports: all ports not named are shut."),
                "ports": [{"protocol": "TCP", "port": port}],
            },
            _scrapes(namespace, env_variables.METRICS_PORT, env_variables.SELF_METRICS_PORT),
        ],
    }
    return manifest("networking.k8s.io/v1", "NetworkPolicy", name, spec=spec)


def _scrapes(namespace: str, *ports: env_variables.Variable) -> Manifest:
    """Return the rule for the pods of Prometheus in the namespace of the monitors."""
    prometheus: Mapping[str, Any] = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchLabels": _PROMETHEUS},
    }
    return {"from": [prometheus], "ports": _ports(*ports)}


def _ports(*ports: env_variables.Variable) -> Iterable[Manifest]:
    return [{"protocol": "TCP", "port": int(port.default)} for port in ports]

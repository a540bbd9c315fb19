"""The gateway: two pods, each with a volume of its own for its queue, behind a headless Service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Catalog
from otel_meta.render._yaml import note
from otel_meta.render.collector import env_variables as settings
from otel_meta.render.collector.gateway import gateway_file

from .common_manifests import (
    CONFIG,
    MONITORING,
    NOBODY,
    POD_NAME,
    QUEUE,
    Manifest,
    collector,
    health,
    labels,
    manifest,
    selector,
)

NAME: Final = "otel-meta-gateway"
HOST: Final = f"{NAME}.{MONITORING}.svc.cluster.local"
TRACE_STORE: Final = f"jaeger.{MONITORING}.svc.cluster.local:4317"

_PORTS: Final = (
    ("otlp-grpc", settings.GATEWAY_PORT),
    ("self-metrics", settings.GATEWAY_SELF_METRICS_PORT),
)


def gateway_resources(catalog: Catalog) -> Iterator[Manifest]:
    """Every resource that it needs."""
    files = {"gateway.yaml": gateway_file(catalog)}
    yield manifest("v1", "ConfigMap", NAME, namespace=MONITORING, data=files)
    yield manifest("v1", "Service", NAME, namespace=MONITORING, spec=_service())
    yield manifest("apps/v1", "StatefulSet", NAME, namespace=MONITORING, spec=_stateful_set())
    budget = {"maxUnavailable": 1, "selector": selector(NAME)}
    yield manifest("policy/v1", "PodDisruptionBudget", NAME, namespace=MONITORING, spec=budget)


def _service() -> Manifest:
    return {
        **note("Headless: sidecars see each pod's address, and share traces out between them."),
        "clusterIP": "None",
        "selector": selector(NAME)["matchLabels"],
        "ports": [
            {"name": name, "port": int(port.default), "targetPort": name} for name, port in _PORTS
        ],
    }


def _stateful_set() -> Manifest:
    return {
        "serviceName": NAME,
        "replicas": 2,
        "podManagementPolicy": "Parallel",
        "selector": selector(NAME),
        "template": {"metadata": {"labels": labels(NAME)}, "spec": _pod()},
        "volumeClaimTemplates": [
            {
                "metadata": {"name": QUEUE},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "2Gi"}},
                },
            }
        ],
    }


def _pod() -> Manifest:
    return {
        "automountServiceAccountToken": False,
        "securityContext": {"fsGroup": NOBODY},
        **note("Time to decide about the traces that wait, and to hand them on."),
        "terminationGracePeriodSeconds": 60,
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": selector(NAME),
            }
        ],
        "containers": [_container()],
        "volumes": [{"name": CONFIG, "configMap": {"name": NAME}}],
    }


def _container() -> Manifest:
    variables: dict[str, str | Manifest] = {
        settings.EXPOSE_HOST.name: "0.0.0.0",  # noqa: S104  # the pod's own address
        settings.TRACE_STORE.name: TRACE_STORE,
        settings.INSTANCE.name: POD_NAME,
    }
    return {
        **collector(
            "gateway",
            settings.GATEWAY_QUEUE_DIR,
            settings.GATEWAY_MEMORY_MIB,
            variables,
            (*_PORTS, ("health", settings.GATEWAY_HEALTH_PORT)),
        ),
        "readinessProbe": health(settings.GATEWAY_HEALTH_PORT),
        "livenessProbe": health(settings.GATEWAY_HEALTH_PORT),
    }

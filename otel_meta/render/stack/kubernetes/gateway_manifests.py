"""The gateway: two pods behind a headless Service, each with a volume for its queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Catalog
from otel_meta.render._yaml import comment
from otel_meta.render.collector import env_variables
from otel_meta.render.collector.gateway import gateway_file
from otel_meta.render.collector.queue_limits import GATEWAY_QUEUE_BYTES, claim_gib

from .common_manifests import (
    COLLECTOR_UID,
    CONFIG_VOLUME,
    MONITORING_NAMESPACE,
    POD_NAME,
    QUEUE_VOLUME,
    Manifest,
    collector,
    labels,
    liveness_probe,
    manifest,
    readiness_probe,
    selector,
    startup_probe,
)

NAME: Final = "otel-meta-gateway"
HOST: Final = f"{NAME}.{MONITORING_NAMESPACE}.svc.cluster.local"
TRACE_STORE: Final = f"jaeger.{MONITORING_NAMESPACE}.svc.cluster.local:4317"

_QUEUE_SIZE: Final = f"{claim_gib(GATEWAY_QUEUE_BYTES)}Gi"
_PORTS: Final = (
    ("otlp-grpc", env_variables.GATEWAY_PORT),
    ("self-metrics", env_variables.GATEWAY_SELF_METRICS_PORT),
)


def gateway_resources(catalog: Catalog) -> Iterator[Manifest]:
    """Return the resources of the gateway."""
    files = {"gateway.yaml": gateway_file(catalog)}
    yield manifest("v1", "ConfigMap", NAME, namespace=MONITORING_NAMESPACE, data=files)
    yield manifest("v1", "Service", NAME, namespace=MONITORING_NAMESPACE, spec=_service())
    yield manifest(
        "apps/v1", "StatefulSet", NAME, namespace=MONITORING_NAMESPACE, spec=_stateful_set()
    )
    budget = {"maxUnavailable": 1, "selector": selector(NAME)}
    yield manifest(
        "policy/v1", "PodDisruptionBudget", NAME, namespace=MONITORING_NAMESPACE, spec=budget
    )


def _service() -> Manifest:
    return {
        **comment(
            "Headless: sidecars resolve the addresses of all pods, and distribute traces over them."
        ),
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
                "metadata": {"name": QUEUE_VOLUME},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": _QUEUE_SIZE}},
                },
            }
        ],
    }


def _pod() -> Manifest:
    return {
        "automountServiceAccountToken": False,
        "securityContext": {"fsGroup": COLLECTOR_UID},
        **comment("Time to sample and export the waiting traces."),
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
        "volumes": [{"name": CONFIG_VOLUME, "configMap": {"name": NAME}}],
    }


def _container() -> Manifest:
    variables: dict[str, str | Manifest] = {
        env_variables.EXPOSE_HOST.name: "0.0.0.0",  # noqa: S104  # the pod's own address
        env_variables.TRACE_STORE.name: TRACE_STORE,
        env_variables.INSTANCE.name: POD_NAME,
    }
    return {
        **collector(
            "gateway",
            env_variables.GATEWAY_QUEUE_DIR,
            env_variables.GATEWAY_MEMORY_MIB,
            variables,
            (*_PORTS, ("health", env_variables.GATEWAY_HEALTH_PORT)),
        ),
        "startupProbe": startup_probe(env_variables.GATEWAY_HEALTH_PORT),
        "readinessProbe": readiness_probe(env_variables.GATEWAY_HEALTH_PORT),
        "livenessProbe": liveness_probe(env_variables.GATEWAY_HEALTH_PORT),
    }

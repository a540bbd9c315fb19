"""The gateway: two pods behind a headless Service, each with a volume for its queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Catalog
from otel_meta.render._yaml import comment
from otel_meta.render.collector import env_variables
from otel_meta.render.collector.gateway import gateway_file
from otel_meta.render.collector.queue_limits import GATEWAY_QUEUE_BYTES, claim_gib
from otel_meta.render.options import Options

from .common_manifests import (
    CONFIG_VOLUME,
    POD_NAME,
    QUEUE_VOLUME,
    Manifest,
    collector,
    config_hash,
    labels,
    liveness_probe,
    manifest,
    pod_security_context,
    readiness_probe,
    selector,
    startup_probe,
)
from .network_policies import gateway_policy

NAME: Final = "otel-meta-gateway"
_QUEUE_SIZE: Final = f"{claim_gib(GATEWAY_QUEUE_BYTES)}Gi"
_PORTS: Final = (
    ("otlp-grpc", env_variables.GATEWAY_PORT),
    ("self-metrics", env_variables.GATEWAY_SELF_METRICS_PORT),
    ("metrics", env_variables.GATEWAY_METRICS_PORT),
)


def gateway_host(namespace: str) -> str:
    """Return the DNS name of the gateways."""
    return f"{NAME}.{namespace}.svc.cluster.local"


def gateway_resources(catalog: Catalog, options: Options) -> Iterator[Manifest]:
    """Return the resources of the gateway."""
    namespace, config = options.kubernetes.namespace, gateway_file(catalog)
    files = {"gateway.yaml": config}
    yield manifest("v1", "ConfigMap", NAME, namespace=namespace, data=files)
    yield manifest("v1", "Service", NAME, namespace=namespace, spec=_service())
    stateful_set = _stateful_set(config, options)
    yield manifest("apps/v1", "StatefulSet", NAME, namespace=namespace, spec=stateful_set)
    budget = {"maxUnavailable": 1, "selector": selector(NAME)}
    yield manifest("policy/v1", "PodDisruptionBudget", NAME, namespace=namespace, spec=budget)
    yield gateway_policy(NAME, namespace)


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


def _stateful_set(config: str, options: Options) -> Manifest:
    metadata = {"labels": labels(NAME), "annotations": config_hash(config)}
    return {
        "serviceName": NAME,
        "replicas": 2,
        "podManagementPolicy": "Parallel",
        "selector": selector(NAME),
        "template": {"metadata": metadata, "spec": _pod(options)},
        "volumeClaimTemplates": [
            {
                **comment("The API server adds both: without them, a comparison never ends."),
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": QUEUE_VOLUME},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": _QUEUE_SIZE}},
                },
            }
        ],
    }


def _pod(options: Options) -> Manifest:
    return {
        "automountServiceAccountToken": False,
        "securityContext": pod_security_context(),
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
        "containers": [_container(options)],
        "volumes": [{"name": CONFIG_VOLUME, "configMap": {"name": NAME}}],
    }


def _container(options: Options) -> Manifest:
    store = f"jaeger.{options.kubernetes.namespace}.svc.cluster.local:4317"
    variables: dict[str, str | Manifest] = {
        env_variables.EXPOSE_HOST.name: "0.0.0.0",  # noqa: S104  # the pod's own address
        env_variables.TRACE_STORE.name: store,
        env_variables.INSTANCE.name: POD_NAME,
    }
    return {
        **collector(
            "gateway",
            env_variables.GATEWAY_QUEUE_DIR,
            env_variables.GATEWAY_MEMORY_MIB,
            variables=variables,
            ports=(*_PORTS, ("health", env_variables.GATEWAY_HEALTH_PORT)),
            options=options,
        ),
        "startupProbe": startup_probe(env_variables.GATEWAY_HEALTH_PORT),
        "readinessProbe": readiness_probe(env_variables.GATEWAY_HEALTH_PORT),
        "livenessProbe": liveness_probe(env_variables.GATEWAY_HEALTH_PORT),
    }

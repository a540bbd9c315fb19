"""The storefront with a sidecar: written by hand, or injected by the OpenTelemetry operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.render._yaml import comment
from otel_meta.render.collector import env_variables
from otel_meta.render.collector.queue_limits import SIDECAR_QUEUE_BYTES, volume_mib
from otel_meta.render.collector.sidecar import sidecar_config, sidecar_file
from otel_meta.render.collector.substitution import resolve_variables
from otel_meta.render.hosts import EXAMPLES, IMAGES, PAYMENTS, STOREFRONT

from .common_manifests import (
    COLLECTOR_UID,
    CONFIG_VOLUME,
    LIVENESS,
    POD_NAME,
    QUEUE_VOLUME,
    Manifest,
    collector,
    environment,
    labels,
    liveness_probe,
    manifest,
    resources,
    restricted_security_context,
    selector,
    startup_probe,
)
from .gateway_manifests import HOST

NAME: Final = "otel-meta-sidecar"
SIDECAR_METRICS: Final = {"otel-meta/metrics": "sidecar"}
"""The label of Services with metrics served by a sidecar."""
IN_PROCESS_METRICS: Final = {"otel-meta/metrics": "in-process"}
"""The label of Services with metrics served by the application."""

_ALL_ADDRESSES: Final = "0.0.0.0"  # noqa: S104  # the pod's own address
_QUEUE_SIZE: Final = f"{volume_mib(SIDECAR_QUEUE_BYTES)}Mi"
"""Size of the queue volume. A larger volume would have the kubelet evict the service as well."""
_PORTS: Final = (
    ("metrics", env_variables.METRICS_PORT),
    ("self-metrics", env_variables.SELF_METRICS_PORT),
    ("health", env_variables.HEALTH_PORT),
)


def resources_by_hand() -> Iterator[Manifest]:
    """Return a service with a native sidecar, which starts before the service and ends last."""
    yield manifest("v1", "ConfigMap", NAME, data={"sidecar.yaml": sidecar_file()})
    yield _service()
    yield _deployment({}, _pod_by_hand())


def resources_by_operator() -> Iterator[Manifest]:
    """Return a service with an OpenTelemetryCollector, injected into pods by an annotation."""
    yield manifest(
        "opentelemetry.io/v1beta1", "OpenTelemetryCollector", NAME, spec=_collector_spec()
    )
    yield _service()
    annotations = {"sidecar.opentelemetry.io/inject": NAME}
    yield _deployment({"annotations": annotations}, {"containers": [_application()]})


def _service() -> Manifest:
    http = {"name": "http", "port": STOREFRONT.port}
    metrics = (
        {"name": name, "port": int(port.default)} for name, port in _PORTS if "metrics" in name
    )
    spec = {"selector": selector(STOREFRONT.name)["matchLabels"], "ports": [http, *metrics]}
    service = manifest("v1", "Service", STOREFRONT.name, spec=spec)
    service["metadata"]["labels"] |= SIDECAR_METRICS
    return service


def _deployment(metadata: Manifest, pod: Manifest) -> Manifest:
    name = STOREFRONT.name
    spec = {
        "replicas": 2,
        "selector": selector(name),
        "template": {"metadata": {"labels": labels(name), **metadata}, "spec": pod},
    }
    return manifest("apps/v1", "Deployment", name, spec=spec)


def _application() -> Manifest:
    name, port = STOREFRONT.name, STOREFRONT.port
    ready = {"httpGet": {"path": "/readyz", "port": port}}
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{env_variables.OTLP_HTTP_PORT.default}",
        "PAYMENTS_URL": PAYMENTS.url,
    }
    return {
        "name": name,
        "image": EXAMPLES,
        "command": ["uvicorn", f"{name}:app", f"--host={_ALL_ADDRESSES}", f"--port={port}"],
        "env": environment(variables),
        "ports": [{"name": "http", "containerPort": port}],
        "readinessProbe": ready,
    }


def _variables() -> dict[str, str | Manifest]:
    return {
        env_variables.EXPOSE_HOST.name: _ALL_ADDRESSES,
        env_variables.GATEWAY_HOST.name: HOST,
        env_variables.INSTANCE.name: POD_NAME,  # each pod runs one process of the service
    }


def _pod_by_hand() -> Manifest:
    queue_dir, memory = env_variables.QUEUE_DIR, env_variables.MEMORY_MIB
    sidecar = collector("sidecar", queue_dir, memory, _variables(), _PORTS, disk=_QUEUE_SIZE)
    return {
        "securityContext": {"fsGroup": COLLECTOR_UID},
        "initContainers": [
            {
                **comment("Native sidecar: it starts before the service, and ends after it."),
                "restartPolicy": "Always",
                **sidecar,
                "startupProbe": startup_probe(env_variables.HEALTH_PORT),
                "livenessProbe": liveness_probe(env_variables.HEALTH_PORT),
            }
        ],
        "containers": [_application()],
        "volumes": [
            {"name": CONFIG_VOLUME, "configMap": {"name": NAME}},
            {
                **comment(
                    "Survives the container, but not the pod; a volume claim would survive both."
                ),
                "name": QUEUE_VOLUME,
                "emptyDir": {"sizeLimit": _QUEUE_SIZE},
            },
        ],
    }


def _collector_spec() -> Manifest:
    """Resolve most variables, because the operator reads ports from the configuration."""
    values = {
        env_variables.EXPOSE_HOST.name: _ALL_ADDRESSES,
        env_variables.GATEWAY_HOST.name: HOST,
        env_variables.INSTANCE.name: env_variables.INSTANCE.with_default(""),
    }
    variables = {env_variables.INSTANCE.name: POD_NAME}
    memory = {"GOMEMLIMIT": f"{env_variables.MEMORY_MIB.default}MiB"}
    return {
        "mode": "sidecar",
        "image": IMAGES["collector"],
        "env": environment({**variables, **memory}),
        "resources": resources(env_variables.MEMORY_MIB, "100m", _QUEUE_SIZE),
        "securityContext": restricted_security_context(),
        "ports": [
            {"name": name, "port": int(port.default), "protocol": "TCP"} for name, port in _PORTS
        ],
        **comment("The operator has no startup probe, so it waits for a start with full queues."),
        "livenessProbe": {**LIVENESS, "failureThreshold": 30},
        "volumeMounts": [{"name": QUEUE_VOLUME, "mountPath": env_variables.QUEUE_DIR.default}],
        "volumes": [{"name": QUEUE_VOLUME, "emptyDir": {"sizeLimit": _QUEUE_SIZE}}],
        "config": resolve_variables(sidecar_config(), values),
    }

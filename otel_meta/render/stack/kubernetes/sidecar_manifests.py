"""The storefront with its sidecar: by hand, and by the OpenTelemetry operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.render._yaml import note
from otel_meta.render.collector import env_variables as settings
from otel_meta.render.collector.sidecar import sidecar_config, sidecar_file
from otel_meta.render.collector.substitution import settled
from otel_meta.render.stack.hosts import EXAMPLES, IMAGES, PAYMENTS, STOREFRONT

from .common_manifests import (
    CONFIG,
    NOBODY,
    POD_NAME,
    QUEUE,
    Manifest,
    collector,
    environment,
    health,
    labels,
    locked_down,
    manifest,
    resources,
    selector,
)
from .gateway_manifests import HOST

NAME: Final = "otel-meta-sidecar"
SCRAPED: Final = {"otel-meta/metrics": "sidecar"}
"""A label of Services: whose metrics their sidecar shows."""
IN_PROCESS: Final = {"otel-meta/metrics": "in-process"}
"""A label of Services: which show their own."""

_ALL: Final = "0.0.0.0"  # noqa: S104  # the pod's own address
_QUEUE_SIZE: Final = "1200Mi"
"""Two queues, and what their files take besides."""
_PORTS: Final = (
    ("metrics", settings.METRICS_PORT),
    ("self-metrics", settings.SELF_METRICS_PORT),
    ("health", settings.HEALTH_PORT),
)


def by_hand() -> Iterator[Manifest]:
    """A native sidecar: started before the service, and ended after it."""
    yield manifest("v1", "ConfigMap", NAME, data={"sidecar.yaml": sidecar_file()})
    yield _service()
    yield _deployment({}, _pod_by_hand())


def by_operator() -> Iterator[Manifest]:
    """One resource for all sidecars of a namespace; an annotation asks for it."""
    yield manifest("opentelemetry.io/v1beta1", "OpenTelemetryCollector", NAME, spec=_custom())
    yield _service()
    asked = {"sidecar.opentelemetry.io/inject": NAME}
    yield _deployment({"annotations": asked}, {"containers": [_application()]})


def _service() -> Manifest:
    scraped = [("metrics", settings.METRICS_PORT), ("self-metrics", settings.SELF_METRICS_PORT)]
    served = [{"name": "http", "port": STOREFRONT.port}]
    ports = [{"name": name, "port": int(port.default)} for name, port in scraped]
    spec = {"selector": selector(STOREFRONT.host)["matchLabels"], "ports": [*served, *ports]}
    service = manifest("v1", "Service", STOREFRONT.host, spec=spec)
    service["metadata"]["labels"] |= SCRAPED
    return service


def _deployment(metadata: Manifest, pod: Manifest) -> Manifest:
    name = STOREFRONT.host
    spec = {
        "replicas": 2,
        "selector": selector(name),
        "template": {"metadata": {"labels": labels(name), **metadata}, "spec": pod},
    }
    return manifest("apps/v1", "Deployment", name, spec=spec)


def _application() -> Manifest:
    name, port = STOREFRONT.host, STOREFRONT.port
    ready = {"httpGet": {"path": "/readyz", "port": port}}
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{settings.OTLP_HTTP_PORT.default}",
        "PAYMENTS_URL": PAYMENTS.url,
    }
    return {
        "name": name,
        "image": EXAMPLES,
        "command": ["uvicorn", f"{name}:app", f"--host={_ALL}", f"--port={port}"],
        "env": environment(variables),
        "ports": [{"name": "http", "containerPort": port}],
        "readinessProbe": ready,
    }


def _variables() -> dict[str, str | Manifest]:
    return {
        settings.EXPOSE_HOST.name: _ALL,
        settings.GATEWAY_HOST.name: HOST,
        settings.INSTANCE.name: POD_NAME,  # one process a pod: each has its own name
    }


def _pod_by_hand() -> Manifest:
    folder, memory = settings.QUEUE_DIR, settings.MEMORY_MIB
    sidecar = collector("sidecar", folder, memory, _variables(), _PORTS)
    return {
        "securityContext": {"fsGroup": NOBODY},
        "initContainers": [
            {
                **note(
                    "With this it runs all along: before the service starts, until it has ended."
                ),
                "restartPolicy": "Always",
                **sidecar,
                "startupProbe": {**health(settings.HEALTH_PORT), "periodSeconds": 1},
                "livenessProbe": health(settings.HEALTH_PORT),
            }
        ],
        "containers": [_application()],
        "volumes": [
            {"name": CONFIG, "configMap": {"name": NAME}},
            {
                **note("Outlives the container, not the pod; a volume claim outlives both."),
                "name": QUEUE,
                "emptyDir": {"sizeLimit": _QUEUE_SIZE},
            },
        ],
    }


def _custom() -> Manifest:
    """The operator reads ports out of the configuration, so that they have to be numbers."""
    known = {
        settings.EXPOSE_HOST.name: _ALL,
        settings.GATEWAY_HOST.name: HOST,
        settings.INSTANCE.name: settings.INSTANCE.read(""),
    }
    variables = {settings.INSTANCE.name: POD_NAME}
    memory = {"GOMEMLIMIT": f"{settings.MEMORY_MIB.default}MiB"}
    return {
        "mode": "sidecar",
        "image": IMAGES["collector"],
        "env": environment({**variables, **memory}),
        "resources": resources(settings.MEMORY_MIB, "100m"),
        "securityContext": locked_down(),
        "ports": [
            {"name": name, "port": int(port.default), "protocol": "TCP"} for name, port in _PORTS
        ],
        "volumeMounts": [{"name": QUEUE, "mountPath": settings.QUEUE_DIR.default}],
        "volumes": [{"name": QUEUE, "emptyDir": {"sizeLimit": _QUEUE_SIZE}}],
        "config": settled(sidecar_config(), known),
    }

"""The storefront: the Service, the Deployment and the container of an application."""

from __future__ import annotations

from typing import Any, Final

from otel_meta.render._yaml import comment
from otel_meta.render.collector import env_variables
from otel_meta.render.hosts import PAYMENTS, STOREFRONT
from otel_meta.render.options import Options

from .common_manifests import (
    LOGS,
    SIDECAR_METRICS,
    Manifest,
    container_security_context,
    environment,
    labels,
    manifest,
    selector,
)

ALL_ADDRESSES: Final = "0.0.0.0"  # noqa: S104  # the pod's own address
NOBODY: Final = 65534
"""The user id of the examples' image; a name would fail ``runAsNonRoot``."""
SCRATCH_VOLUME: Final[Manifest] = {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}
"""The only folder that the application may write to, /tmp."""
GRACE_SECONDS: Final = 60
"""Time for the service to end its requests, and then for the sidecar to export the rest."""


def service(ports: dict[str, int]) -> Manifest:
    """Return the Service, with ports of the sidecar by name."""
    all_ports = {"http": STOREFRONT.port, **ports}
    spec = {
        "selector": selector(STOREFRONT.name)["matchLabels"],
        "ports": [{"name": name, "port": port} for name, port in all_ports.items()],
    }
    return manifest("v1", "Service", STOREFRONT.name, more_labels=SIDECAR_METRICS, spec=spec)


def deployment(annotations: dict[str, str], pod: Manifest) -> Manifest:
    """Return the Deployment.

    Args:
        annotations: annotations of the pods; another value replaces the pods.
        pod: the specification of the pods.
    """
    name = STOREFRONT.name
    metadata = {"labels": {**labels(name), **SIDECAR_METRICS}, "annotations": annotations}
    complete = {
        **comment("The service calls no API of Kubernetes."),
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        **pod,
    }
    spec = {
        "replicas": 2,
        "selector": selector(name),
        "template": {"metadata": metadata, "spec": complete},
    }
    return manifest("apps/v1", "Deployment", name, spec=spec)


def application(options: Options) -> Manifest:
    """Return the container of the application."""
    name, port = STOREFRONT.name, STOREFRONT.port
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{env_variables.OTLP_HTTP_PORT.default}",
        "PAYMENTS_URL": PAYMENTS.url,
    }
    return {
        "name": name,
        "image": options.image("examples"),
        "command": ["uvicorn", f"{name}:app", f"--host={ALL_ADDRESSES}", f"--port={port}"],
        "env": environment(variables),
        "ports": [{"name": "http", "containerPort": port}],
        "volumeMounts": [{"name": SCRATCH_VOLUME["name"], "mountPath": "/tmp"}],  # noqa: S108
        **comment("The resources of the example; measure your service."),
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": LOGS},
            "limits": {"memory": "256Mi"},
        },
        "securityContext": container_security_context(NOBODY),
        "startupProbe": {**_probe("/healthz"), "periodSeconds": 1, "failureThreshold": 60},
        "readinessProbe": _probe("/readyz"),
        "livenessProbe": {**_probe("/healthz"), "timeoutSeconds": 5},
    }


def _probe(path: str) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": STOREFRONT.port}}

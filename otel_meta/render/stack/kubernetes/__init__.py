"""Kubernetes manifests: the gateway, a service with its sidecar, and ServiceMonitors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from otel_meta.model import Catalog
from otel_meta.render._yaml import to_yaml
from otel_meta.render.header import generated_from

from .common_manifests import MONITORING_NAMESPACE, Manifest
from .gateway_manifests import gateway_resources
from .monitors import monitor_resources
from .sidecar_manifests import resources_by_hand, resources_by_operator


def manifests(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Return name and text of each file in stack/kubernetes/."""
    yield (
        "gateway.yaml",
        _file(
            gateway_resources(catalog),
            "the catalogue",
            f"The gateway, in the namespace {MONITORING_NAMESPACE}.",
            "Traces go to a Service jaeger in this namespace; OTEL_META_TRACE_STORE changes this.",
        ),
    )
    yield (
        "sidecar-by-hand.yaml",
        _file(
            resources_by_hand(),
            "otel_meta/render/stack/kubernetes/sidecar_manifests.py",
            "A service with its sidecar. Needs Kubernetes 1.29 or later.",
            "Copy initContainers and volumes to the pods of your services.",
        ),
    )
    yield (
        "sidecar-by-operator.yaml",
        _file(
            resources_by_operator(),
            "otel_meta/render/stack/kubernetes/sidecar_manifests.py",
            "A service with its sidecar, for clusters with the OpenTelemetry operator.",
            "Add the annotation of this Deployment's pods to the pods of your services.",
        ),
    )
    yield (
        "service-monitors.yaml",
        _file(
            monitor_resources(),
            "otel_meta/render/stack/kubernetes/monitors.py",
            "For prometheus-operator. Add the labels of its serviceMonitorSelector, if any.",
        ),
    )


def _file(documents: Iterable[Manifest], source: str, *comments: str) -> str:
    texts = [to_yaml(document, comment="") for document in documents]
    head = "\n".join(f"# {line}" for line in (generated_from(source), *comments))
    return f"{head}\n---\n" + "---\n".join(texts)

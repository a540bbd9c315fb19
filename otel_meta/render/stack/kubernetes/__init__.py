"""Kubernetes manifests: the gateway, a service with its sidecar, and ServiceMonitors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from otel_meta.model import Catalog
from otel_meta.render._yaml import to_yaml
from otel_meta.render.header import generated_from
from otel_meta.render.options import Options

from .common_manifests import Manifest
from .gateway_manifests import gateway_resources
from .monitors import monitor_resources
from .sidecar_manifests import resources_by_hand, resources_by_operator


def manifests(catalog: Catalog, options: Options) -> Iterator[tuple[str, str]]:
    """Return name and text of each file in stack/kubernetes/."""
    yield (
        "gateway.yaml",
        _file(
            gateway_resources(catalog, options),
            "the catalogue",
            f"The gateway, in the namespace {options.kubernetes.namespace}.",
            "Traces go to a Service jaeger in this namespace; OTEL_META_TRACE_STORE changes this.",
        ),
    )
    yield (
        "sidecar-by-hand.yaml",
        _file(
            resources_by_hand(options),
            "otel_meta/render/stack/kubernetes/sidecar_manifests.py",
            "A service with its sidecar. Needs Kubernetes 1.29 or later.",
            "Copy initContainers, volumes, the label otel-meta/metrics and the annotation to the",
            "pods of your services. The annotation replaces pods when the configuration changes.",
        ),
    )
    yield (
        "sidecar-by-operator.yaml",
        _file(
            resources_by_operator(options),
            "otel_meta/render/stack/kubernetes/sidecar_manifests.py",
            "A service with its sidecar. Needs the OpenTelemetry operator 0.132 or later, on",
            "Kubernetes 1.29 or later: older ones inject a container that ends before the service.",
            "Add the annotations and the label otel-meta/metrics of this Deployment's pods to the",
            "pods of your services. The operator changes new pods; the hash replaces the pods.",
        ),
    )
    yield (
        "service-monitors.yaml",
        _file(
            monitor_resources(options),
            "otel_meta/render/stack/kubernetes/monitors.py",
            "For prometheus-operator, which selects monitors by labels: option --kubernetes-label.",
        ),
    )


def _file(documents: Iterable[Manifest], source: str, *comments: str) -> str:
    texts = [to_yaml(document, comment="") for document in documents]
    head = "\n".join(f"# {line}" for line in (generated_from(source), *comments))
    return f"{head}\n---\n" + "---\n".join(texts)

"""Kubernetes manifests: the gateway, services with sidecars, and what is scraped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from otel_meta.model import Catalog
from otel_meta.render._yaml import to_yaml
from otel_meta.render.header import generated_from

from .common_manifests import MONITORING, Manifest
from .gateway_manifests import gateway_resources
from .monitors import monitor_resources
from .sidecar_manifests import by_hand, by_operator


def manifests(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Each file's name and text."""
    yield (
        "gateway.yaml",
        _file(
            gateway_resources(catalog),
            "the catalogue",
            f"The gateway, in the namespace {MONITORING}.",
            "Its traces go to a Service called jaeger there: change OTEL_META_TRACE_STORE.",
        ),
    )
    yield (
        "sidecar-by-hand.yaml",
        _file(
            by_hand(),
            "otel_meta/render/stack/kubernetes/sidecar_manifests.py",
            "A service with its sidecar, which needs Kubernetes 1.29 or newer.",
            "Take initContainers and volumes over into the pods of your services.",
        ),
    )
    yield (
        "sidecar-by-operator.yaml",
        _file(
            by_operator(),
            "otel_meta/render/stack/kubernetes/sidecar_manifests.py",
            "The same where the OpenTelemetry operator runs.",
            "Annotate the pods of your services as the Deployment's are.",
        ),
    )
    yield (
        "service-monitors.yaml",
        _file(
            monitor_resources(),
            "otel_meta/render/stack/kubernetes/monitors.py",
            "For prometheus-operator. Where its serviceMonitorSelector asks for labels, add them.",
        ),
    )


def _file(documents: Iterable[Manifest], source: str, *words: str) -> str:
    texts = [to_yaml(document, comment="") for document in documents]
    head = "\n".join(f"# {line}" for line in (generated_from(source), *words))
    return f"{head}\n---\n" + "---\n".join(texts)

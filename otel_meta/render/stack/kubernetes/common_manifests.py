"""What several Kubernetes manifests have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from otel_meta.render._yaml import note
from otel_meta.render.collector.env_variables import Variable
from otel_meta.render.stack.hosts import IMAGES

Manifest = dict[str, Any]

MONITORING: Final = "observability"
"""The namespace of what watches."""
PART_OF: Final = {"app.kubernetes.io/part-of": "otel-meta"}
CONFIG: Final = "config"
QUEUE: Final = "queue"
POD_NAME: Final = {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
NOBODY: Final = 10001
"""The user of the Collector's image."""


def manifest(version: str, kind: str, name: str, *, namespace: str = "", **more: Any) -> Manifest:
    """A resource, labelled as one of ours."""
    place = {"namespace": namespace} if namespace else {}
    metadata = {"name": name, **place, "labels": labels(name)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def labels(name: str) -> dict[str, str]:
    """What a resource is called and belongs to."""
    return {"app.kubernetes.io/name": name, **PART_OF}


def selector(name: str) -> dict[str, dict[str, str]]:
    """Chooses pods by their name."""
    return {"matchLabels": {"app.kubernetes.io/name": name}}


def environment(given: Mapping[str, str | Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Variables, given as text or as where they come from."""
    return [
        {"name": name, **({"value": value} if isinstance(value, str) else value)}
        for name, value in given.items()
    ]


def resources(memory: Variable, cpu: str) -> Manifest:
    """Room for a heap of so many MiB, and a quarter more."""
    limit = f"{int(memory.default) * 5 // 4}Mi"
    return {
        "requests": {"cpu": cpu, "memory": limit},
        **note("No CPU limit: a throttled Collector refuses what a busy one would take."),
        "limits": {"memory": limit},
    }


def locked_down() -> Manifest:
    """A container that can do nothing but run."""
    return {
        "runAsNonRoot": True,
        "runAsUser": NOBODY,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def health(port: Variable) -> Manifest:
    """A probe of the Collector's health check."""
    return {"httpGet": {"path": "/", "port": int(port.default)}}


def collector(
    role: str,
    folder: Variable,
    memory: Variable,
    variables: Mapping[str, str | Mapping[str, Any]],
    ports: Iterable[tuple[str, Variable]],
) -> Manifest:
    """A container of the Collector with one of the files of collector-config/."""
    return {
        "name": f"otel-{role}",
        "image": IMAGES["collector"],
        "args": [f"--config=/etc/otelcol/{role}.yaml"],
        "env": environment({**variables, "GOMEMLIMIT": f"{memory.default}MiB"}),
        "ports": [{"name": name, "containerPort": int(port.default)} for name, port in ports],
        "volumeMounts": [
            {"name": CONFIG, "mountPath": "/etc/otelcol", "readOnly": True},
            {"name": QUEUE, "mountPath": folder.default},
        ],
        "resources": resources(memory, "100m"),
        "securityContext": locked_down(),
    }

"""Parts that several Kubernetes manifests share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from otel_meta.render._yaml import comment
from otel_meta.render.collector.env_variables import Variable
from otel_meta.render.hosts import IMAGES

Manifest = dict[str, Any]

MONITORING_NAMESPACE: Final = "observability"
"""The namespace of the gateway and the ServiceMonitors."""
PART_OF: Final = {"app.kubernetes.io/part-of": "otel-meta"}
CONFIG_VOLUME: Final = "config"
QUEUE_VOLUME: Final = "queue"
POD_NAME: Final = {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
LIVENESS: Final = {"periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6}
COLLECTOR_UID: Final = 10001
"""The user id of the Collector's image."""


def manifest(version: str, kind: str, name: str, *, namespace: str = "", **fields: Any) -> Manifest:
    """Return a resource with the labels of otel_meta."""
    in_namespace = {"namespace": namespace} if namespace else {}
    metadata = {"name": name, **in_namespace, "labels": labels(name)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def labels(name: str) -> dict[str, str]:
    """Return the labels of a resource: name and application."""
    return {"app.kubernetes.io/name": name, **PART_OF}


def selector(name: str) -> dict[str, dict[str, str]]:
    """Return a selector of pods by their name label."""
    return {"matchLabels": {"app.kubernetes.io/name": name}}


def environment(variables: Mapping[str, str | Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the environment of a container; a value is a text, or a mapping with ``valueFrom``."""
    return [
        {"name": name, **({"value": value} if isinstance(value, str) else value)}
        for name, value in variables.items()
    ]


def resources(memory: Variable, cpu: str, disk: str = "") -> Manifest:
    """Return requests and limits: the CPU, and the memory limit of the Collector plus a quarter.

    Args:
        memory: memory limit of the Collector, in MiB.
        cpu: requested CPU.
        disk: size of the queues on the node's disk, if they are there. There is no limit, because
            the kubelet counts the files of all containers against the limits of the pod.
    """
    limit = f"{int(memory.default) * 5 // 4}Mi"
    on_disk = {"ephemeral-storage": disk} if disk else {}
    return {
        "requests": {"cpu": cpu, "memory": limit, **on_disk},
        **comment("No CPU limit: a throttled Collector refuses data."),
        "limits": {"memory": limit},
    }


def restricted_security_context() -> Manifest:
    """Return a security context without root, privileges, capabilities and writes to the image."""
    return {
        "runAsNonRoot": True,
        "runAsUser": COLLECTOR_UID,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def readiness_probe(port: Variable) -> Manifest:
    """Return a probe of the Collector's health check."""
    return {"httpGet": {"path": "/", "port": int(port.default)}}


def startup_probe(port: Variable) -> Manifest:
    """Return a probe that waits for five minutes, as long as a start with full queues may take.

    With a CPU to itself, a Collector needs at most 3 s to read full queues; with the requested
    tenth of a CPU and a slow disk, it needs more.
    """
    return {**readiness_probe(port), "periodSeconds": 1, "failureThreshold": 300}


def liveness_probe(port: Variable) -> Manifest:
    """Return a probe that fails after a minute without an answer, which load alone cannot cause."""
    return {**readiness_probe(port), **LIVENESS}


def collector(
    role: str,
    queue_dir: Variable,
    memory: Variable,
    variables: Mapping[str, str | Mapping[str, Any]],
    ports: Iterable[tuple[str, Variable]],
    *,
    disk: str = "",
) -> Manifest:
    """Return a container of the Collector with a configuration of collector-config/.

    Args:
        role: "sidecar" or "gateway", which is also the name of the configuration file.
        queue_dir: folder of the queues on disk.
        memory: memory limit of the Collector, in MiB.
        variables: environment variables.
        ports: names and ports of the container.
        disk: size of the queues, if they are on the node's disk.
    """
    return {
        "name": f"otel-{role}",
        "image": IMAGES["collector"],
        "args": [f"--config=/etc/otelcol/{role}.yaml"],
        "env": environment({**variables, "GOMEMLIMIT": f"{memory.default}MiB"}),
        "ports": [{"name": name, "containerPort": int(port.default)} for name, port in ports],
        "volumeMounts": [
            {"name": CONFIG_VOLUME, "mountPath": "/etc/otelcol", "readOnly": True},
            {"name": QUEUE_VOLUME, "mountPath": queue_dir.default},
        ],
        "resources": resources(memory, "100m", disk),
        "securityContext": restricted_security_context(),
    }

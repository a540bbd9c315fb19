"""Parts that several Kubernetes manifests share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from otel_meta.render._yaml import comment
from otel_meta.render.collector.env_variables import Variable
from otel_meta.render.options import Options

Manifest = dict[str, Any]

PART_OF: Final = {"app.kubernetes.io/part-of": "otel-meta"}
SIDECAR_METRICS: Final = {"otel-meta/metrics": "sidecar"}
"""The label of pods and Services with metrics served by a sidecar."""
IN_PROCESS_METRICS: Final = {"otel-meta/metrics": "in-process"}
"""The label of Services with metrics served by the application."""
CONFIG_VOLUME: Final = "config"
QUEUE_VOLUME: Final = "queue"
POD_NAME: Final = {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
LIVENESS: Final = {"periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6}
COLLECTOR_UID: Final = 10001
"""The user id of the Collector's image."""
LOGS: Final = "100Mi"
"""Disk of a container for its logs; the kubelet rotates them at 5 files of 10 MiB by default."""


def manifest(
    version: str,
    kind: str,
    name: str,
    *,
    namespace: str = "",
    more_labels: Mapping[str, str] | None = None,
    **fields: Any,
) -> Manifest:
    """Return a resource with the labels of otel_meta, and more labels."""
    in_namespace = {"namespace": namespace} if namespace else {}
    metadata = {"name": name, **in_namespace, "labels": {**labels(name), **(more_labels or {})}}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def labels(name: str) -> dict[str, str]:
    """Return the labels of a resource: name and application."""
    return {"app.kubernetes.io/name": name, **PART_OF}


def selector(name: str) -> dict[str, dict[str, str]]:
    """Return a selector of pods by their name label."""
    return {"matchLabels": {"app.kubernetes.io/name": name}}


def config_hash(text: str) -> dict[str, str]:
    """Return the annotation of pods that a changed configuration replaces.

    A Collector reads its configuration only when it starts.
    """
    return {"otel-meta/config-sha256": hashlib.sha256(text.encode()).hexdigest()}


def environment(variables: Mapping[str, str | Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the environment of a container; a value is a text, or a mapping with ``valueFrom``."""
    return [
        {"name": name, **({"value": value} if isinstance(value, str) else value)}
        for name, value in variables.items()
    ]


def resources(memory: Variable, cpu: str, disk: str = LOGS) -> Manifest:
    """Return requests and limits: the CPU, the memory limit of the Collector plus a quarter, disk.

    Args:
        memory: memory limit of the Collector, in MiB.
        cpu: requested CPU.
        disk: logs, and queues on the disk of the node. There is no limit, because the kubelet
            counts the files of all containers and volumes against the limits of the pod, also
            where only one container has a limit. The size of the volume limits the queues.
    """
    limit = f"{int(memory.default) * 5 // 4}Mi"
    return {
        "requests": {"cpu": cpu, "memory": limit, "ephemeral-storage": disk},
        **comment("No CPU limit: a throttled Collector refuses data."),
        "limits": {"memory": limit},
    }


def pod_security_context() -> Manifest:
    """Return the security context of a pod in the restricted profile of Pod Security."""
    return {
        "runAsNonRoot": True,
        "fsGroup": COLLECTOR_UID,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security_context(user: int = COLLECTOR_UID) -> Manifest:
    """Return a security context without root, privileges, capabilities and writes to the image."""
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
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
    *,
    variables: Mapping[str, str | Mapping[str, Any]],
    ports: Iterable[tuple[str, Variable]],
    options: Options,
    disk: str = LOGS,
) -> Manifest:
    """Return a container of the Collector with a configuration of collector-config/.

    Args:
        role: "sidecar" or "gateway", which is also the name of the configuration file.
        queue_dir: folder of the queues on disk.
        memory: memory limit of the Collector, in MiB.
        variables: environment variables.
        ports: names and ports of the container.
        options: choices of the user.
        disk: logs, and volumes on the disk of the node.
    """
    return {
        "name": f"otel-{role}",
        "image": options.image("collector"),
        "args": [f"--config=/etc/otelcol/{role}.yaml"],
        "env": environment({**variables, "GOMEMLIMIT": f"{memory.default}MiB"}),
        "ports": [{"name": name, "containerPort": int(port.default)} for name, port in ports],
        "volumeMounts": [
            {"name": CONFIG_VOLUME, "mountPath": "/etc/otelcol", "readOnly": True},
            {"name": QUEUE_VOLUME, "mountPath": queue_dir.default},
        ],
        "resources": resources(memory, "100m", disk),
        "securityContext": container_security_context(),
    }

"""The storefront with a sidecar: written by hand, or injected by the OpenTelemetry operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.render._yaml import comment, to_yaml
from otel_meta.render.collector import env_variables
from otel_meta.render.collector.queue_limits import SIDECAR_QUEUE_BYTES, volume_mib
from otel_meta.render.collector.sidecar import sidecar_config, sidecar_file
from otel_meta.render.collector.substitution import resolve_variables
from otel_meta.render.hosts import STOREFRONT
from otel_meta.render.options import Options

from .common_manifests import (
    CONFIG_VOLUME,
    LIVENESS,
    POD_NAME,
    QUEUE_VOLUME,
    Manifest,
    collector,
    config_hash,
    container_security_context,
    environment,
    liveness_probe,
    manifest,
    pod_security_context,
    resources,
    startup_probe,
)
from .example_service import ALL_ADDRESSES, SCRATCH_VOLUME, application, deployment, service
from .gateway_manifests import gateway_host
from .network_policies import service_policy

NAME: Final = "otel-meta-sidecar"
_QUEUE_SIZE: Final = f"{volume_mib(SIDECAR_QUEUE_BYTES)}Mi"
"""Size of the queue volume. A larger volume would have the kubelet evict the service as well."""
_PORTS: Final = (
    ("metrics", env_variables.METRICS_PORT),
    ("self-metrics", env_variables.SELF_METRICS_PORT),
    ("health", env_variables.HEALTH_PORT),
)


def resources_by_hand(options: Options) -> Iterator[Manifest]:
    """Return a service with a native sidecar, which starts before the service and ends last."""
    config = sidecar_file(options.identity)
    yield manifest("v1", "ConfigMap", NAME, data={"sidecar.yaml": config})
    yield service(_metrics_ports())
    yield deployment(config_hash(config), _pod_by_hand(options))
    yield service_policy(STOREFRONT.name, STOREFRONT.port, options.kubernetes.namespace)


def resources_by_operator(options: Options) -> Iterator[Manifest]:
    """Return a service with an OpenTelemetryCollector, injected into pods by an annotation."""
    spec = _collector_spec(options)
    yield manifest("opentelemetry.io/v1beta1", "OpenTelemetryCollector", NAME, spec=spec)
    yield service(_metrics_ports())
    config = config_hash(to_yaml(spec["config"], comment=""))
    pod = {
        "securityContext": pod_security_context(),
        "containers": [application(options)],
        "volumes": [SCRATCH_VOLUME],
    }
    yield deployment({"sidecar.opentelemetry.io/inject": NAME, **config}, pod)
    yield service_policy(STOREFRONT.name, STOREFRONT.port, options.kubernetes.namespace)


def _metrics_ports() -> dict[str, int]:
    return {name: int(port.default) for name, port in _PORTS if "metrics" in name}


def _variables(namespace: str) -> dict[str, str | Manifest]:
    return {
        env_variables.EXPOSE_HOST.name: ALL_ADDRESSES,
        env_variables.GATEWAY_HOST.name: gateway_host(namespace),
        env_variables.INSTANCE.name: POD_NAME,  # each pod runs one process of the service
    }


def _pod_by_hand(options: Options) -> Manifest:
    queue_dir, memory = env_variables.QUEUE_DIR, env_variables.MEMORY_MIB
    variables = _variables(options.kubernetes.namespace)
    sidecar = collector(
        "sidecar",
        queue_dir,
        memory,
        variables=variables,
        ports=_PORTS,
        options=options,
        disk=_QUEUE_SIZE,
    )
    return {
        "securityContext": pod_security_context(),
        "initContainers": [
            {
                **comment("Native sidecar: it starts before the service, and ends after it."),
                "restartPolicy": "Always",
                **sidecar,
                "startupProbe": startup_probe(env_variables.HEALTH_PORT),
                "livenessProbe": liveness_probe(env_variables.HEALTH_PORT),
            }
        ],
        "containers": [application(options)],
        "volumes": [
            SCRATCH_VOLUME,
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


def _collector_spec(options: Options) -> Manifest:
    """Resolve most variables, because the operator reads ports from the configuration."""
    values = {
        env_variables.EXPOSE_HOST.name: ALL_ADDRESSES,
        env_variables.GATEWAY_HOST.name: gateway_host(options.kubernetes.namespace),
        env_variables.INSTANCE.name: env_variables.INSTANCE.with_default(""),
    }
    variables = {env_variables.INSTANCE.name: POD_NAME}
    memory = {"GOMEMLIMIT": f"{env_variables.MEMORY_MIB.default}MiB"}
    return {
        "mode": "sidecar",
        "image": options.image("collector"),
        "env": environment({**variables, **memory}),
        "resources": resources(env_variables.MEMORY_MIB, "100m", _QUEUE_SIZE),
        "securityContext": container_security_context(),
        "ports": [
            {"name": name, "port": int(port.default), "protocol": "TCP"} for name, port in _PORTS
        ],
        **comment("The operator has no startup probe, so it waits for a start with full queues."),
        "livenessProbe": {**LIVENESS, "failureThreshold": 30},
        "volumeMounts": [{"name": QUEUE_VOLUME, "mountPath": env_variables.QUEUE_DIR.default}],
        "volumes": [{"name": QUEUE_VOLUME, "emptyDir": {"sizeLimit": _QUEUE_SIZE}}],
        "config": resolve_variables(sidecar_config(options.identity), values),
    }

"""The sidecar: takes OTLP from one service, shows its metrics, and hands on the rest safely."""

from __future__ import annotations

from typing import Final

from otel_meta.render._yaml import note, to_yaml
from otel_meta.render.header import generated_from

from .common_config import MEMORY, Config, delivery, extensions, memory_limiter, service
from .env_variables import (
    EXPOSE_HOST,
    GATEWAY_HOST,
    GATEWAY_INSECURE,
    GATEWAY_PORT,
    HEALTH_PORT,
    INSTANCE,
    LOOPBACK,
    MEMORY_MIB,
    MEMORY_SPIKE_MIB,
    METRIC_EXPIRATION,
    METRICS_PORT,
    OTLP_GRPC_PORT,
    OTLP_HTTP_PORT,
    QUEUE_DIR,
    SELF_METRICS_PORT,
)
from .redaction import REDACTION, URLS, redaction, urls

DETECTION: Final = "resource_detection"
IDENTITY: Final = "transform/identity"
PROMETHEUS: Final = "prometheus"
BALANCER: Final = "load_balancing"
BEFORE: Final = (MEMORY, DETECTION)
"""Memory first: what is refused should have cost nothing."""

_COMMENT: Final = f"""\
{generated_from("otel_meta/render/collector/sidecar.py")}
One sidecar a service instance, in the same network namespace:
  otelcol --config sidecar.yaml [--config yours.yaml]
A second file is merged over this one, so edits belong there. README.md lists the variables.
Metrics need no queue: they are cumulative, so that the next export makes up for a lost one."""


def sidecar_file() -> str:
    """The file."""
    return to_yaml(sidecar_config(), comment=_COMMENT)


def sidecar_config() -> Config:
    """What the file says."""
    return {
        "extensions": extensions(HEALTH_PORT, QUEUE_DIR),
        "receivers": {"otlp": _receiver()},
        "processors": {
            MEMORY: memory_limiter(MEMORY_MIB, MEMORY_SPIKE_MIB),
            DETECTION: {"detectors": ["env", "system"], "timeout": "2s", "override": False},
            IDENTITY: _identity(),
            REDACTION: redaction(),
            URLS: urls(),
        },
        "exporters": {PROMETHEUS: _prometheus(), BALANCER: _balancer()},
        "service": service(
            "otel-meta-sidecar",
            SELF_METRICS_PORT,
            {
                "metrics": _pipeline(IDENTITY, to=PROMETHEUS),
                "traces": _pipeline(REDACTION, URLS, to=BALANCER),
                "logs": _pipeline(REDACTION, to=BALANCER),
            },
        ),
    }


def _pipeline(*processors: str, to: str) -> Config:
    return {"receivers": ["otlp"], "processors": [*BEFORE, *processors], "exporters": [to]}


def _receiver() -> Config:
    return {
        "protocols": {
            "grpc": {"endpoint": f"{LOOPBACK}:{OTLP_GRPC_PORT}", "max_recv_msg_size_mib": 16},
            "http": {"endpoint": f"{LOOPBACK}:{OTLP_HTTP_PORT}"},
        }
    }


def _identity() -> Config:
    """The labels that /metrics of a process has on every series."""
    instance = (
        f'set(resource.attributes["service.instance.id"], "{INSTANCE}") where "{INSTANCE}" != ""'
    )
    names = (
        f'set(datapoint.attributes["{name}"], resource.attributes["{name}"])'
        for name in ("service.namespace", "service.name")
    )
    return {"error_mode": "ignore", "metric_statements": [instance, *names]}


def _prometheus() -> Config:
    """Series by the same names as from the process itself, exemplars included."""
    return {
        "endpoint": f"{EXPOSE_HOST}:{METRICS_PORT}",
        "translation_strategy": "UnderscoreEscapingWithSuffixes",
        "without_scope_info": True,
        **note("Without it there are no exemplars."),
        "enable_open_metrics": True,
        "send_timestamps": False,
        "metric_expiration": str(METRIC_EXPIRATION),
    }


def _balancer() -> Config:
    """A gateway sees whole traces only if every span of a trace is sent to the same one."""
    return {
        "routing_key": "traceID",
        "resolver": {"dns": {"hostname": str(GATEWAY_HOST), "port": str(GATEWAY_PORT)}},
        **delivery(),
        "protocol": {
            "otlp": {
                "tls": {"insecure": str(GATEWAY_INSECURE)},
                "timeout": "5s",
                **note("Off: the queue above can send again to another gateway, these could not."),
                "retry_on_failure": {"enabled": False},
                "sending_queue": {"enabled": False},
            }
        },
    }

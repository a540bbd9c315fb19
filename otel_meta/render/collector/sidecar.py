"""The sidecar: serves the metrics of one service, and sends traces and logs to the gateways."""

from __future__ import annotations

from typing import Final

from otel_meta.model.identity import DEFAULT, Identity
from otel_meta.render._yaml import comment, to_yaml
from otel_meta.render.header import generated_from

from .common_config import (
    MEMORY_LIMITER,
    NOTHING,
    Config,
    extensions,
    memory_limiter,
    queue_and_retry,
    service,
)
from .env_variables import (
    EXPOSE_HOST,
    GATEWAY_HOST,
    GATEWAY_INSECURE,
    GATEWAY_PORT,
    HEALTH_PORT,
    INSTANCE,
    LOG_EXPORTER,
    LOOPBACK,
    MEMORY_MIB,
    MEMORY_SPIKE_MIB,
    METRIC_EXPIRATION,
    METRICS_PORT,
    OTLP_GRPC_PORT,
    OTLP_HTTP_PORT,
    QUEUE_BYTES,
    QUEUE_DIR,
    QUEUE_FILE_BYTES,
    SELF_METRICS_PORT,
    Variable,
)
from .job_runs import JOB_RUNS, job_processors
from .secret_masking import LOG_REDACTION, METRIC_REDACTION, SPAN_REDACTION, redaction_processors

DETECTION: Final = "resource_detection"
IDENTITY: Final = "transform/identity"
PROMETHEUS: Final = "prometheus"
BALANCER: Final = "load_balancing"
FIRST_PROCESSORS: Final = (MEMORY_LIMITER, DETECTION)
"""The memory limiter is first, because refused data should cost no work."""

_COMMENT: Final = f"""\
{generated_from("otel_meta/render/collector/sidecar.py")}
Run one sidecar for each service instance, in the same network namespace:
  otelcol --config sidecar.yaml [--config yours.yaml]
Make changes in a second file, which is merged over this one. README.md lists the variables.
Metrics have no queue: they are cumulative, so the next export replaces a lost export. The runs of
a job send deltas, which this Collector adds in memory; after a restart they count from zero, and
Prometheus goes on counting."""


def sidecar_file(identity: Identity = DEFAULT) -> str:
    """Return the text of sidecar.yaml."""
    return to_yaml(sidecar_config(identity), comment=_COMMENT)


def sidecar_config(identity: Identity = DEFAULT) -> Config:
    """Return the configuration."""
    return {
        "extensions": extensions(HEALTH_PORT, QUEUE_DIR, QUEUE_FILE_BYTES),
        "receivers": {"otlp": _receiver()},
        "processors": {
            MEMORY_LIMITER: memory_limiter(MEMORY_MIB, MEMORY_SPIKE_MIB),
            DETECTION: {"detectors": ["env", "system"], "timeout": "2s", "override": False},
            **job_processors(),
            IDENTITY: identity_labels(identity),
            **redaction_processors(),
        },
        "exporters": {
            PROMETHEUS: prometheus(METRICS_PORT, METRIC_EXPIRATION),
            BALANCER: _balancer(),
            NOTHING: {},
        },
        "service": service(
            "otel-meta-sidecar",
            SELF_METRICS_PORT,
            {
                "metrics": _metric_pipeline(),
                "traces": _pipeline(*SPAN_REDACTION, to=BALANCER),
                **comment(
                    "Log records are dropped by default; services also write them to stdout."
                ),
                "logs": _pipeline(*LOG_REDACTION, to=str(LOG_EXPORTER)),
            },
        ),
    }


def _metric_pipeline() -> Config:
    """Add the runs of jobs before the detection, which may add an instance to their resource."""
    later = (DETECTION, IDENTITY, *METRIC_REDACTION)
    return {
        "receivers": ["otlp"],
        "processors": [MEMORY_LIMITER, *JOB_RUNS, *later],
        "exporters": [PROMETHEUS],
    }


def _pipeline(*processors: str, to: str) -> Config:
    return {
        "receivers": ["otlp"],
        "processors": [*FIRST_PROCESSORS, *processors],
        "exporters": [to],
    }


def _receiver() -> Config:
    return {
        "protocols": {
            "grpc": {"endpoint": f"{LOOPBACK}:{OTLP_GRPC_PORT}", "max_recv_msg_size_mib": 16},
            "http": {"endpoint": f"{LOOPBACK}:{OTLP_HTTP_PORT}"},
        }
    }


def identity_labels(identity: Identity) -> Config:
    """Add the identity labels, which /metrics of a process also has on every series.

    As there, and in Prometheus' OTLP receiver, a label of the point overrides the resource.
    """
    instance = (
        f'set(resource.attributes["service.instance.id"], "{INSTANCE}") where "{INSTANCE}" != ""'
    )
    names = (
        f'set(datapoint.attributes["{name}"], resource.attributes["{name}"]) '
        f'where datapoint.attributes["{name}"] == nil'
        for name in identity.attributes
    )
    return {"error_mode": "ignore", "metric_statements": [instance, *names]}


def prometheus(port: Variable, expiration: Variable) -> Config:
    """Serve series with the same names as /metrics of the process, and with exemplars.

    Args:
        port: the port.
        expiration: time after which a series without new points disappears.
    """
    return {
        "endpoint": f"{EXPOSE_HOST}:{port}",
        "translation_strategy": "UnderscoreEscapingWithSuffixes",
        "without_scope_info": True,
        **comment("OpenMetrics is needed for exemplars."),
        "enable_open_metrics": True,
        "send_timestamps": False,
        "metric_expiration": str(expiration),
    }


def _balancer() -> Config:
    """Send all spans of a trace to the same gateway, which can then sample whole traces."""
    return {
        "routing_key": "traceID",
        "resolver": {"dns": {"hostname": str(GATEWAY_HOST), "port": str(GATEWAY_PORT)}},
        **queue_and_retry(QUEUE_BYTES),
        "protocol": {
            "otlp": {
                "tls": {"insecure": GATEWAY_INSECURE.flag},
                "timeout": "5s",
                **comment(
                    "Off: the queue above can retry with another gateway, unlike this exporter."
                ),
                "retry_on_failure": {"enabled": False},
                "sending_queue": {"enabled": False},
            }
        },
    }

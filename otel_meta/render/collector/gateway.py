"""The gateway: receives traces from sidecars, samples whole traces, and exports them."""

from __future__ import annotations

from typing import Final

from otel_meta.model import Catalog
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
    GATEWAY_HEALTH_PORT,
    GATEWAY_LOG_EXPORTER,
    GATEWAY_MEMORY_MIB,
    GATEWAY_MEMORY_SPIKE_MIB,
    GATEWAY_METRICS_PORT,
    GATEWAY_PORT,
    GATEWAY_QUEUE_BYTES,
    GATEWAY_QUEUE_DIR,
    GATEWAY_QUEUE_FILE_BYTES,
    GATEWAY_SELF_METRICS_PORT,
    JOB_EXPIRATION,
    LOG_STORE,
    TRACE_STORE,
    TRACE_STORE_INSECURE,
)
from .job_runs import JOB_RUNS, job_processors
from .sampling import tail_sampling
from .secret_masking import LOG_REDACTION, METRIC_REDACTION, SPAN_REDACTION, redaction_processors
from .sidecar import IDENTITY, PROMETHEUS, identity_labels, prometheus

SAMPLING: Final = "tail_sampling"
STORE: Final = "otlp_grpc/store"
LOGS: Final = "otlp_http/log_store"
BATCH: Final = "batch"

_COMMENT: Final = f"""\
{generated_from("the catalogue")}
Run one or more gateways behind one DNS name. Sidecars send all spans of a trace to one gateway:
  otelcol --config gateway.yaml [--config yours.yaml]
Make changes in a second file, which is merged over this one. README.md lists the variables.
Traces wait in memory for the sampling decision, so a killed gateway loses the traces of the last
seconds. Sampled traces are on disk."""


def gateway_file(catalog: Catalog, identity: Identity = DEFAULT) -> str:
    """Return the text of gateway.yaml."""
    return to_yaml(gateway_config(catalog, identity), comment=_COMMENT)


def gateway_config(catalog: Catalog, identity: Identity = DEFAULT) -> Config:
    """Return the configuration."""
    return {
        "extensions": extensions(GATEWAY_HEALTH_PORT, GATEWAY_QUEUE_DIR, GATEWAY_QUEUE_FILE_BYTES),
        "receivers": {"otlp": _receiver()},
        "processors": {
            MEMORY_LIMITER: memory_limiter(GATEWAY_MEMORY_MIB, GATEWAY_MEMORY_SPIKE_MIB),
            SAMPLING: tail_sampling(catalog),
            BATCH: _batch(),
            **job_processors(),
            IDENTITY: identity_labels(identity),
            **redaction_processors(),
        },
        "exporters": {
            PROMETHEUS: prometheus(GATEWAY_METRICS_PORT, JOB_EXPIRATION),
            STORE: _store(),
            LOGS: _log_store(),
            NOTHING: {},
        },
        "service": service(
            "otel-meta-gateway",
            GATEWAY_SELF_METRICS_PORT,
            {
                "traces": _pipeline(SAMPLING, *SPAN_REDACTION, BATCH, to=STORE),
                **comment("Of jobs without a sidecar, such as pods of a CronJob."),
                "metrics": _pipeline(*JOB_RUNS, IDENTITY, *METRIC_REDACTION, to=PROMETHEUS),
                **comment("Log records are dropped until README.md's variables name a log store."),
                "logs": _pipeline(*LOG_REDACTION, to=str(GATEWAY_LOG_EXPORTER)),
            },
        ),
    }


def _pipeline(*processors: str, to: str) -> Config:
    return {"receivers": ["otlp"], "processors": [MEMORY_LIMITER, *processors], "exporters": [to]}


def _receiver() -> Config:
    endpoint = f"{EXPOSE_HOST}:{GATEWAY_PORT}"
    return {"protocols": {"grpc": {"endpoint": endpoint, "max_recv_msg_size_mib": 16}}}


def _store() -> Config:
    return {
        "endpoint": str(TRACE_STORE),
        "tls": {"insecure": TRACE_STORE_INSECURE.flag},
        "timeout": "10s",
        **queue_and_retry(GATEWAY_QUEUE_BYTES),
    }


def _log_store() -> Config:
    return {
        "endpoint": str(LOG_STORE),
        "timeout": "10s",
        **queue_and_retry(GATEWAY_QUEUE_BYTES),
    }


def _batch() -> Config:
    """Combine sampled traces, which leave the memory of the sampling one by one.

    An entry of the queue file per trace would take three times the disk, and a write per trace.
    """
    return {
        **comment("Traces are in memory already, so a kill loses no more than without batches."),
        "timeout": "200ms",
        "send_batch_size": 1000,
        "send_batch_max_size": 2000,
    }

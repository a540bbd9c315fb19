"""The gateway: receives traces from sidecars, samples whole traces, and exports them."""

from __future__ import annotations

from typing import Final

from otel_meta.model import Catalog
from otel_meta.render._yaml import comment, to_yaml
from otel_meta.render.header import generated_from

from .common_config import (
    MEMORY_LIMITER,
    Config,
    extensions,
    memory_limiter,
    queue_and_retry,
    service,
)
from .env_variables import (
    EXPOSE_HOST,
    GATEWAY_HEALTH_PORT,
    GATEWAY_MEMORY_MIB,
    GATEWAY_MEMORY_SPIKE_MIB,
    GATEWAY_PORT,
    GATEWAY_QUEUE_DIR,
    GATEWAY_SELF_METRICS_PORT,
    TRACE_STORE,
    TRACE_STORE_INSECURE,
)
from .redaction import REDACTION, URL_REDACTION, redaction, url_redaction
from .sampling import tail_sampling

SAMPLING: Final = "tail_sampling"
STORE: Final = "otlp_grpc/store"
LOGS: Final = "debug"

_COMMENT: Final = f"""\
{generated_from("the catalogue")}
Run one or more gateways behind one DNS name. Sidecars send all spans of a trace to one gateway:
  otelcol --config gateway.yaml [--config yours.yaml]
Make changes in a second file, which is merged over this one. README.md lists the variables.
Traces wait in memory for the sampling decision, so a killed gateway loses the traces of the last
seconds. Sampled traces are on disk."""


def gateway_file(catalog: Catalog) -> str:
    """Return the text of gateway.yaml."""
    return to_yaml(gateway_config(catalog), comment=_COMMENT)


def gateway_config(catalog: Catalog) -> Config:
    """Return the configuration."""
    return {
        "extensions": extensions(GATEWAY_HEALTH_PORT, GATEWAY_QUEUE_DIR),
        "receivers": {"otlp": _receiver()},
        "processors": {
            MEMORY_LIMITER: memory_limiter(GATEWAY_MEMORY_MIB, GATEWAY_MEMORY_SPIKE_MIB),
            SAMPLING: tail_sampling(catalog),
            REDACTION: redaction(),
            URL_REDACTION: url_redaction(),
        },
        "exporters": {STORE: _store(), LOGS: _logs()},
        "service": service(
            "otel-meta-gateway",
            GATEWAY_SELF_METRICS_PORT,
            {
                "traces": _pipeline(SAMPLING, REDACTION, URL_REDACTION, to=STORE),
                "logs": _pipeline(REDACTION, to=LOGS),
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
        "tls": {"insecure": str(TRACE_STORE_INSECURE)},
        "timeout": "10s",
        **queue_and_retry(),
    }


def _logs() -> Config:
    return {
        **comment(
            "Counts log records and drops them. Set the exporter of your log store in a second"
        ),
        **comment("file, in service.pipelines.logs.exporters. Services also print logs to stdout."),
        "verbosity": "basic",
        "sampling_initial": 1,
        "sampling_thereafter": 1000,
    }

"""The gateway: takes whole traces from sidecars, decides which are kept, and stores them."""

from __future__ import annotations

from typing import Final

from otel_meta.model import Catalog
from otel_meta.render._yaml import note, to_yaml
from otel_meta.render.header import generated_from

from .common_config import MEMORY, Config, delivery, extensions, memory_limiter, service
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
from .redaction import REDACTION, URLS, redaction, urls
from .sampling import tail_sampling

SAMPLING: Final = "tail_sampling"
STORE: Final = "otlp_grpc/store"
LOGS: Final = "debug"

_COMMENT: Final = f"""\
{generated_from("the catalogue")}
One or more gateways behind one name; sidecars send each trace to one of them:
  otelcol --config gateway.yaml [--config yours.yaml]
A second file is merged over this one, so edits belong there. README.md lists the variables.
A trace waits in memory for its decision: a gateway that is killed loses the last seconds'. What it
has decided to keep is on disk."""


def gateway_file(catalog: Catalog) -> str:
    """The file."""
    return to_yaml(gateway_config(catalog), comment=_COMMENT)


def gateway_config(catalog: Catalog) -> Config:
    """What the file says."""
    return {
        "extensions": extensions(GATEWAY_HEALTH_PORT, GATEWAY_QUEUE_DIR),
        "receivers": {"otlp": _receiver()},
        "processors": {
            MEMORY: memory_limiter(GATEWAY_MEMORY_MIB, GATEWAY_MEMORY_SPIKE_MIB),
            SAMPLING: tail_sampling(catalog),
            REDACTION: redaction(),
            URLS: urls(),
        },
        "exporters": {STORE: _store(), LOGS: _logs()},
        "service": service(
            "otel-meta-gateway",
            GATEWAY_SELF_METRICS_PORT,
            {
                "traces": _pipeline(SAMPLING, REDACTION, URLS, to=STORE),
                "logs": _pipeline(REDACTION, to=LOGS),
            },
        ),
    }


def _pipeline(*processors: str, to: str) -> Config:
    return {"receivers": ["otlp"], "processors": [MEMORY, *processors], "exporters": [to]}


def _receiver() -> Config:
    endpoint = f"{EXPOSE_HOST}:{GATEWAY_PORT}"
    return {"protocols": {"grpc": {"endpoint": endpoint, "max_recv_msg_size_mib": 16}}}


def _store() -> Config:
    return {
        "endpoint": str(TRACE_STORE),
        "tls": {"insecure": str(TRACE_STORE_INSECURE)},
        "timeout": "10s",
        **delivery(),
    }


def _logs() -> Config:
    return {
        **note("Counts log records and drops them: name your log store's exporter in a second"),
        **note("file, in service.pipelines.logs.exporters. Services print the same to stdout."),
        "verbosity": "basic",
        "sampling_initial": 1,
        "sampling_thereafter": 1000,
    }

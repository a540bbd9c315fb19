"""Parts of the configuration that the sidecar and the gateway share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_meta.render._yaml import comment

from .env_variables import EXPOSE_HOST, INSTANCE, QUEUE_BYTES, Variable

Config = dict[str, Any]

STORAGE: Final = "file_storage/queue"
HEALTH_CHECK: Final = "health_check"
MEMORY_LIMITER: Final = "memory_limiter"

_BATCH_BYTES: Final = 2 * 1024 * 1024
"""Half of the 4 MiB limit of gRPC servers; the data of a larger message would be lost."""


def extensions(health_port: Variable, folder: Variable) -> Config:
    """Return the health check, and the storage of queues on disk, which survives a restart."""
    return {
        HEALTH_CHECK: {"endpoint": f"{EXPOSE_HOST}:{health_port}"},
        STORAGE: {
            "directory": str(folder),
            "create_directory": True,
            **comment(
                "false survives a kill; true also survives a power cut, but syncs each write."
            ),
            "fsync": False,
            "timeout": "5s",
            "compaction": {
                "directory": str(folder),
                "on_start": True,
                "on_rebound": True,
                "cleanup_on_start": True,
            },
        },
    }


def memory_limiter(limit: Variable, spike: Variable) -> Config:
    """Return the memory limiter, which refuses data before the process runs out of memory.

    Senders retry refused data.
    """
    return {"check_interval": "1s", "limit_mib": str(limit), "spike_limit_mib": str(spike)}


def queue_and_retry() -> Config:
    """Return an exporter's queue on disk and its retries, which have no time limit.

    An outage loses no data until the queue is full.
    """
    return {
        "retry_on_failure": {
            "enabled": True,
            "initial_interval": "1s",
            "max_interval": "30s",
            **comment("No time limit; after the default of 300s, the data would be dropped."),
            "max_elapsed_time": 0,
        },
        "sending_queue": {
            "enabled": True,
            "storage": STORAGE,
            **comment(
                "In bytes, to limit disk usage. A full queue refuses data, and a metric counts it."
            ),
            "sizer": "bytes",
            "queue_size": str(QUEUE_BYTES),
            "block_on_overflow": False,
            **comment(
                "Batches are made after the queue; a batch processor would accept data before it "
                "is on disk."
            ),
            "batch": {
                "flush_timeout": "200ms",
                "min_size": _BATCH_BYTES // 8,
                "max_size": _BATCH_BYTES,
            },
        },
    }


def service(role: str, port: Variable, pipelines: Mapping[str, Config]) -> Config:
    """Return the service: extensions, pipelines, and the Collector's own telemetry."""
    return {
        "extensions": [HEALTH_CHECK, STORAGE],
        "telemetry": {"resource": _resource(role), "metrics": _metrics(port), **_LOGS},
        "pipelines": dict(pipelines),
    }


_LOGS: Final[Config] = {"logs": {"level": "info", "encoding": "json"}}


def _resource(role: str) -> Config:
    return {
        "attributes": [
            {"name": "service.name", "value": role},
            {
                **comment("Fixed: a random id would start new series at every restart."),
                "name": "service.instance.id",
                "value": INSTANCE.with_default("local"),
            },
        ]
    }


def _metrics(port: Variable) -> Config:
    flags = ("without_scope_info", "without_type_suffix", "without_units")
    exporter = {
        "host": str(EXPOSE_HOST),
        "port": str(port),
        **comment(
            "Explicit, because their defaults changed between releases, and with them the names."
        ),
        **dict.fromkeys(flags, True),
    }
    return {"level": "normal", "readers": [{"pull": {"exporter": {"prometheus": exporter}}}]}

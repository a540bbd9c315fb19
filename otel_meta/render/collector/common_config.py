"""Parts of the configuration that the sidecar and the gateway share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_meta.render._yaml import comment

from .env_variables import EXPOSE_HOST, INSTANCE, Variable
from .queue_limits import COMPACTION_NEEDED_MIB, COMPACTION_TRIGGER_MIB

Config = dict[str, Any]

STORAGE: Final = "file_storage/queue"
HEALTH_CHECK: Final = "health_check"
MEMORY_LIMITER: Final = "memory_limiter"
NOTHING: Final = "nop"
"""The exporter that drops all data."""

_BATCH_BYTES: Final = 2 * 1024 * 1024
"""Half of the 4 MiB limit of gRPC servers; the data of a larger message would be lost."""


def extensions(health_port: Variable, folder: Variable, file_bytes: Variable) -> Config:
    """Return the health check, and the storage of queues on disk, which survives a restart.

    Args:
        health_port: port of the health check.
        folder: folder of the queues.
        file_bytes: maximum size of the file of a queue.
    """
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
            **comment("Above the size of a full queue: a full file would cost accepted data."),
            "max_size": file_bytes.number,
            "compaction": {
                "directory": str(folder),
                **comment(
                    "A start would wait for a copy of the whole backlog, longer than probes wait."
                ),
                "on_start": False,
                "on_rebound": True,
                "rebound_needed_threshold_mib": COMPACTION_NEEDED_MIB,
                "rebound_trigger_threshold_mib": COMPACTION_TRIGGER_MIB,
                "cleanup_on_start": True,
            },
        },
    }


def memory_limiter(limit: Variable, spike: Variable) -> Config:
    """Return the memory limiter, which refuses data before the process runs out of memory.

    Senders retry refused data.
    """
    return {"check_interval": "1s", "limit_mib": limit.number, "spike_limit_mib": spike.number}


def queue_and_retry(queue_bytes: Variable) -> Config:
    """Return an exporter's queue on disk and its retries, which have no time limit.

    An outage loses no data until the queue is full.

    Args:
        queue_bytes: bytes of the requests that may wait.
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
                "Bytes of requests; the disk takes up to three times as many. A full queue refuses "
                "data, and a metric counts it."
            ),
            "sizer": "bytes",
            "queue_size": queue_bytes.number,
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


def service(role: str, port: Variable, pipelines: Mapping[str, Any]) -> Config:
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
        "port": port.number,
        **comment(
            "Explicit, because their defaults changed between releases, and with them the names."
        ),
        **dict.fromkeys(flags, True),
    }
    return {"level": "normal", "readers": [{"pull": {"exporter": {"prometheus": exporter}}}]}

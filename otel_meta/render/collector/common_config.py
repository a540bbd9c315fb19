"""What the sidecar's and the gateway's configuration have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_meta.render._yaml import note

from .env_variables import EXPOSE_HOST, INSTANCE, QUEUE_BYTES, Variable

Config = dict[str, Any]

STORAGE: Final = "file_storage/queue"
HEALTH: Final = "health_check"
MEMORY: Final = "memory_limiter"

_BATCH_BYTES: Final = 2 * 1024 * 1024
"""Half of the 4 MiB that a gRPC server takes by default; what it refuses as too long is lost."""


def extensions(health_port: Variable, folder: Variable) -> Config:
    """The health check, and the files in which queues outlive the process."""
    return {
        HEALTH: {"endpoint": f"{EXPOSE_HOST}:{health_port}"},
        STORAGE: {
            "directory": str(folder),
            "create_directory": True,
            **note("Survives a killed process. true survives a power cut, for a sync each write."),
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
    """Refuses before the kernel kills; senders try again."""
    return {"check_interval": "1s", "limit_mib": str(limit), "spike_limit_mib": str(spike)}


def delivery() -> Config:
    """A queue on disk, and retries until it is empty: an outage of any length loses nothing."""
    return {
        "retry_on_failure": {
            "enabled": True,
            "initial_interval": "1s",
            "max_interval": "30s",
            **note("Never gives up; the default, 300s, loses what waited for longer."),
            "max_elapsed_time": 0,
        },
        "sending_queue": {
            "enabled": True,
            "storage": STORAGE,
            **note("In bytes, so that the disk cannot fill; a full queue refuses, and is counted."),
            "sizer": "bytes",
            "queue_size": str(QUEUE_BYTES),
            "block_on_overflow": False,
            **note(
                "After the queue: a batch processor before it would confirm what is not on disk."
            ),
            "batch": {
                "flush_timeout": "200ms",
                "min_size": _BATCH_BYTES // 8,
                "max_size": _BATCH_BYTES,
            },
        },
    }


def service(role: str, port: Variable, pipelines: Mapping[str, Config]) -> Config:
    """What runs, and what the Collector says about itself."""
    return {
        "extensions": [HEALTH, STORAGE],
        "telemetry": {"resource": _resource(role), "metrics": _metrics(port), **_LOGS},
        "pipelines": dict(pipelines),
    }


_LOGS: Final[Config] = {"logs": {"level": "info", "encoding": "json"}}


def _resource(role: str) -> Config:
    return {
        "attributes": [
            {"name": "service.name", "value": role},
            {
                **note("Fixed, for a random one would start new series at every restart."),
                "name": "service.instance.id",
                "value": INSTANCE.read("local"),
            },
        ]
    }


def _metrics(port: Variable) -> Config:
    flags = ("without_scope_info", "without_type_suffix", "without_units")
    exporter = {
        "host": str(EXPOSE_HOST),
        "port": str(port),
        **note("Named in full: their defaults changed between releases, and names with them."),
        **dict.fromkeys(flags, True),
    }
    return {"level": "normal", "readers": [{"pull": {"exporter": {"prometheus": exporter}}}]}

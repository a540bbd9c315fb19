"""Start time of a process: with the process id, an identity unique since boot."""

from __future__ import annotations

from pathlib import Path

from otel_meta.runtime.interruption import reraise_interruption


def start_ticks(pid: int) -> int:
    """Return the start time of a process in clock ticks since boot; 0 if the kernel has none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError as error:
        reraise_interruption(error)
        return 0
    return int(text.rpartition(")")[2].split()[19])  # the command before ")" may hold anything

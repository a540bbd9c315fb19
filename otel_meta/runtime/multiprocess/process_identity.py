"""Telling a process from one that has its number later."""

from __future__ import annotations

from pathlib import Path


def started_ticks(pid: int) -> int:
    """When a process began, in ticks since the machine did; 0 where the kernel does not tell."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(text.rpartition(")")[2].split()[19])  # the name before may hold anything

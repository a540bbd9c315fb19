"""Sizes of the queues on disk, all computed from one number: the bytes that a queue holds.

A queue counts the bytes of the waiting requests, and the disk counts the pages of a bbolt file. The
factor between the two was measured with a real Collector, up to the kill and the restart of a full
queue: 1.15 for requests of 16 KB, 2.2 for 2 KB, and 2.9 for the smallest requests of a service.
"""

from __future__ import annotations

from typing import Final

MIB: Final = 1024 * 1024

SIDECAR_QUEUE_BYTES: Final = 128 * MIB
GATEWAY_QUEUE_BYTES: Final = 512 * MIB
QUEUES: Final = 2
"""Queues of a sidecar, and of a gateway with a log store: traces and logs, one file each."""

FILE_FACTOR: Final = 3
"""File size per byte of waiting requests."""
FILE_BASE_MIB: Final = 32
"""File size besides: steps of 16 MiB in which a file grows, and copies of the requests in flight
after each kill."""
COMPACTION_NEEDED_MIB: Final = FILE_BASE_MIB
"""A file of this size is compacted once it holds little; an empty queue needs no smaller file."""
COMPACTION_TRIGGER_MIB: Final = 8
"""The most data in a file that is compacted, and so the size of the copy beside the file."""


def file_bytes(queue_bytes: int) -> int:
    """Return the maximum size of the file of a queue, in bytes.

    The queue has to be full before its file is, because a full file costs accepted data: the
    Collector can then neither mark a request as sent nor take the next one.
    """
    return FILE_FACTOR * queue_bytes + FILE_BASE_MIB * MIB


def volume_mib(queue_bytes: int) -> int:
    """Return the size of a volume for all queues, in MiB: full files, and copies in compaction."""
    return QUEUES * (file_bytes(queue_bytes) // MIB + COMPACTION_TRIGGER_MIB)


def claim_gib(queue_bytes: int) -> int:
    """Return the size of a volume claim in GiB: the volume, and a tenth for the file system."""
    return -(-volume_mib(queue_bytes) * 11 // (10 * 1024))

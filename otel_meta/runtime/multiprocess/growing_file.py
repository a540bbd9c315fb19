"""A memory-mapped file of records that grows by regions, so no record ever moves."""

from __future__ import annotations

import mmap
import os
from typing import Final

from otel_meta.runtime.interruption import reraise_interruption

from . import file_format
from .file_format import PREAMBLE, REGION_SIZE, Record, RecordKind

_MAX_REGION_SIZE: Final = 64 * REGION_SIZE
_RESERVE: Final = 4096
"""Bytes at the end of each region for records with `use_reserve`, for a full disk."""


class GrowingFile:
    """Appends records to a file.

    Args:
        fd: file descriptor of an empty file, open for reading and writing. The caller closes it.

    Raises:
        OSError: the disk has no space for the first region.
    """

    def __init__(self, fd: int) -> None:
        self._fd: Final = fd
        self._region = self._map(0, REGION_SIZE)
        self._size = REGION_SIZE
        self._region[: len(PREAMBLE)] = PREAMBLE
        self._offset = len(PREAMBLE)

    def append(
        self,
        kind: RecordKind,
        text: bytes,
        word_count: int,
        *,
        first_word: float = 0.0,
        use_reserve: bool = False,
    ) -> tuple[memoryview, Record]:
        """Append a record, and return it with its region.

        Args:
            kind: type of the record.
            text: JSON.
            word_count: number of words. All are zero, except the first.
            first_word: value of the first word.
            use_reserve: if the disk is full, use the reserve of the region.

        Raises:
            OSError: the disk is full.
        """
        size = file_format.record_size(text, word_count)
        # A signal handler may have raised after a record was written and before the offset was set.
        self._offset = file_format.end_of_records(self._region, self._offset)
        if self._offset + size + _RESERVE > len(self._region):
            try:
                self._next_region(size)
            except OSError as error:
                reraise_interruption(error)
                end = self._offset + size + file_format.ALIGNMENT  # with a filler
                if not (use_reserve and end <= len(self._region)):
                    raise
        record = file_format.write_record(
            self._region, self._offset, kind, text, word_count, first_word=first_word
        )
        self._offset += size
        return self._region, record

    def _next_region(self, size: int) -> None:
        wanted = size + _RESERVE + REGION_SIZE - 1
        length = max(min(self._size, _MAX_REGION_SIZE), wanted - wanted % REGION_SIZE)
        region = self._map(self._size, length)
        # The filler comes after the growth: a reader past a filler always finds a next region.
        file_format.write_filler(self._region, self._offset)
        # Last, so that all steps are repeated if a signal handler raises before.
        self._region, self._offset, self._size = region, 0, self._size + length

    def _map(self, start: int, length: int) -> memoryview:
        # Blocks are allocated before mapping: a store to a hole on a full disk is a SIGBUS.
        _allocate(self._fd, start, length)
        return memoryview(mmap.mmap(self._fd, length, offset=start))


def _allocate(fd: int, start: int, length: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, start, length)
    else:  # macOS
        written = 0
        while written < length:
            written += os.pwrite(fd, bytes(length - written), start + written)

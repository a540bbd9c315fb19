"""A file that grows by regions, each mapped by itself, so that what is in them never moves."""

from __future__ import annotations

import mmap
import os
from typing import Final

from . import file_format as layout
from .file_format import Kind, Record

_LARGEST: Final = 64 * layout.REGION
_RESERVE: Final = 4096
"""Bytes at the end of each region for what must find a place on a full disk, too."""


class GrowingFile:
    """Records written one after the other.

    Args:
        descriptor: of an empty file, open for reading and writing; it stays the caller's.

    Raises:
        OSError: there is no place for the first region.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor: Final = descriptor
        self._size = 0
        self._region = self._grow(layout.REGION)
        self._region[: len(layout.PREAMBLE)] = layout.PREAMBLE
        self._at = len(layout.PREAMBLE)

    def append(
        self, kind: Kind, text: bytes, words: int, *, first: float = 0.0, urgent: bool = False
    ) -> tuple[memoryview, Record]:
        """Write a record.

        Args:
            kind: what it is.
            text: what it says.
            words: how many there are, zero but for the first.
            first: the first.
            urgent: it may use the reserve.

        Raises:
            OSError: the disk is full.
        """
        size = layout.size_of(text, words)
        # An exception of a signal handler may have come between a record and this.
        self._at = layout.end_of_records(self._region, self._at)
        if self._at + size + _RESERVE > len(self._region):
            try:
                self._next_region(size)
            except OSError:
                if not urgent or self._at + size + layout.UNIT > len(self._region):
                    raise
        record = layout.write(self._region, self._at, kind, text, words, first=first)
        self._at += size
        return self._region, record

    def _next_region(self, size: int) -> None:
        wanted = size + _RESERVE + layout.REGION - 1
        length = max(min(self._size, _LARGEST), wanted - wanted % layout.REGION)
        region = self._grow(length)
        layout.fill(self._region, self._at)  # only now: no reader finds an end without a next
        self._region, self._at = region, 0

    def _grow(self, length: int) -> memoryview:
        # Every block is there before it is mapped. Writing to one that a full disk cannot give
        # would be a SIGBUS.
        _allocate(self._descriptor, self._size, length)
        region = mmap.mmap(self._descriptor, length, offset=self._size)
        self._size += length
        return memoryview(region)


def _allocate(descriptor: int, start: int, length: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, start, length)
    else:  # macOS
        written = 0
        while written < length:
            written += os.pwrite(descriptor, bytes(length - written), start + written)

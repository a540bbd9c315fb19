"""Binary format of a worker file and of the totals file: a preamble, then records.

::

    file     = preamble, records
    preamble = magic (8 bytes), version (4 bytes), CRC-32 of these two, zeros; 32 bytes in total
    record   = header (24 bytes), text (JSON), padding, words (doubles)
    header   = length, kind, word count, CRC-32 of these three;
               length of the text, CRC-32 of the text; CRC-32 of the words, 0 while they may change

Integers and doubles are in native byte order: a file never leaves its machine. Record lengths are
multiples of 32 bytes, so every word is aligned. The length of a record is written last and commits
the record. Records end at a length of zero. See the package's docstring for the protocol.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Final, NamedTuple
from zlib import crc32

import orjson

MAGIC: Final = b"otelmeta"
VERSION: Final = 2
"""Version of this format and of the JSON texts. Raise it if either changes incompatibly."""
ALIGNMENT: Final = 32
"""Bytes. The length of every record is a multiple."""
REGION_SIZE: Final = 65_536
"""Bytes. A worker file grows by multiples, and the page size of every platform divides it."""
WORD_SIZE: Final = 8
"""Bytes of a double."""

_PREAMBLE: Final = struct.Struct("=8sII16x")
_CHECKED_PREAMBLE: Final = struct.Struct("=8sI")
_CHECKED_FIELDS: Final = struct.Struct("=IHH")
_HEADER: Final = struct.Struct("=IHHIIII")
_UINT32: Final = struct.Struct("=I")
_MAX_WORDS: Final = 0xFFFF

PREAMBLE: Final = _PREAMBLE.pack(MAGIC, VERSION, crc32(_CHECKED_PREAMBLE.pack(MAGIC, VERSION)))


class RecordKind(IntEnum):
    """The type of a record."""

    FILLER = 1
    """Unused bytes up to the end of a region."""
    OWNER = 2
    """The process of a worker file, or the list of files in the totals."""
    DESCRIPTOR = 3
    """A metric as declared by the owner. Series refer to descriptors by position, from 0."""
    SERIES = 4
    """One series. The first word is the start time in Unix nanoseconds, or 0.0 in a free record."""


class DamagedError(Exception):
    """A file with bytes that no writer of this package wrote."""


class OtherVersionError(Exception):
    """A file of another version of the format."""


class Record(NamedTuple):
    """The position of a record in its region, in bytes."""

    kind: int
    offset: int
    length: int
    word_count: int

    @property
    def first_word(self) -> int:
        """Index of the first word, for the region as an array of words."""
        return (self.offset + self.length) // WORD_SIZE - self.word_count


def record_size(text: bytes, word_count: int) -> int:
    """Return the length of a record in bytes.

    Raises:
        ValueError: the record would have too many words.
    """
    if word_count > _MAX_WORDS:
        raise ValueError(f"{word_count} numbers are more than the {_MAX_WORDS} of a series")
    return -(-(_HEADER.size + len(text) + WORD_SIZE * word_count) // ALIGNMENT) * ALIGNMENT


def write_record(
    region: memoryview,
    offset: int,
    kind: RecordKind,
    text: bytes,
    word_count: int,
    *,
    first_word: float = 0.0,
) -> Record:
    """Write and commit a record.

    Args:
        region: the region to write to; all bytes from the offset on are zero.
        offset: position of the record in bytes.
        kind: type of the record.
        text: JSON.
        word_count: number of words. All are zero, except the first.
        first_word: value of the first word.
    """
    record = Record(kind, offset, record_size(text, word_count), word_count)
    write_text(region, record, text)
    if word_count:
        region.cast("d")[record.first_word] = first_word
    _UINT32.pack_into(region, offset, record.length)
    return record


def write_filler(region: memoryview, offset: int) -> None:
    """Close a region with a record up to its end."""
    if offset < len(region):
        record = Record(RecordKind.FILLER, offset, len(region) - offset, 0)
        write_text(region, record, b"")
        _UINT32.pack_into(region, offset, record.length)


def write_text(region: memoryview, record: Record, text: bytes) -> None:
    """Write the text of a record and its header, except for the length."""
    fields = (record.length, record.kind, record.word_count)
    checksum = crc32(_CHECKED_FIELDS.pack(*fields))
    header = _HEADER.pack(*fields, checksum, len(text), crc32(text), 0)
    start, end = record.offset + _UINT32.size, record.offset + _HEADER.size
    region[start:end] = header[_UINT32.size :]
    region[end : end + len(text)] = text


def text_capacity(record: Record) -> int:
    """Return the greatest length of text for a record, in bytes."""
    return record.length - _HEADER.size - WORD_SIZE * record.word_count


def end_of_records(region: memoryview, offset: int) -> int:
    """Return the offset after the last record of a region, without verifying any.

    Args:
        region: a region written by this process.
        offset: position of a record, or the end of the records.
    """
    while offset < len(region) and (length := _UINT32.unpack_from(region, offset)[0]):
        offset += length
    return offset


def check_preamble(file: memoryview) -> None:
    """Check the magic number and the format version.

    Raises:
        DamagedError: the file has another format.
        OtherVersionError: the file has another version of the format.
    """
    if len(file) < _PREAMBLE.size:
        raise DamagedError(f"it ends after {len(file)} bytes")
    magic, version, checksum = _PREAMBLE.unpack_from(file)
    expected = crc32(_CHECKED_PREAMBLE.pack(magic, version))
    if magic != MAGIC or checksum not in (expected, 0):  # version 1 has no checksum
        raise DamagedError(f"it begins with {magic!r}, version {version}, checksum {checksum}")
    if (version, checksum) != (VERSION, expected):
        raise OtherVersionError(f"it has version {version} of the format, not {VERSION}")


def read_records(region: memoryview, offset: int) -> Iterator[Record]:
    """Iterate over the committed records from an offset on.

    Raises:
        DamagedError: a header is invalid.
    """
    while offset + ALIGNMENT <= len(region):
        length, kind, word_count, checksum, *_ = _HEADER.unpack_from(region, offset)
        if length == 0:
            return
        record = Record(kind, offset, length, word_count)
        fields = _CHECKED_FIELDS.pack(length, kind, word_count)
        if crc32(fields) != checksum or not _fits(record, len(region)):
            raise DamagedError(f"there is no record at byte {offset}")
        yield record
        offset += length


def read_text(region: memoryview, record: Record) -> Any:
    """Verify and parse the text of a record.

    Raises:
        DamagedError: the checksum differs.
    """
    *_, size, checksum, _ = _HEADER.unpack_from(region, record.offset)
    start = record.offset + _HEADER.size
    text = bytes(region[start : start + size]) if size <= text_capacity(record) else b""
    if crc32(text) != checksum or not text:
        raise DamagedError(f"the text at byte {record.offset} differs from its checksum")
    return orjson.loads(text)


def write_words_checksum(region: memoryview, record: Record) -> None:
    """Store a checksum of the words, which must not change afterwards."""
    checksum = _words_checksum(region, record)
    _UINT32.pack_into(region, record.offset + _HEADER.size - _UINT32.size, checksum)


def verify_words(region: memoryview, record: Record) -> None:
    """Compare the words with the checksum of `write_words_checksum`.

    Raises:
        DamagedError: the checksum differs.
    """
    *_, checksum = _HEADER.unpack_from(region, record.offset)
    if _words_checksum(region, record) != checksum:
        raise DamagedError(f"the numbers at byte {record.offset} differ from their checksum")


def _words_checksum(region: memoryview, record: Record) -> int:
    start = record.first_word * WORD_SIZE
    return crc32(region[start : start + WORD_SIZE * record.word_count])


def _fits(record: Record, size: int) -> bool:
    return (
        record.length % ALIGNMENT == 0
        and record.offset + record.length <= size
        and text_capacity(record) >= 0
    )

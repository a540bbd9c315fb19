"""How a file of numbers is laid out: records that only ever follow each other.

::

    file    = magic, version, records
    record  = head (24 bytes), text (JSON), padding, words (doubles)
    head    = length, kind, how many words, check of these; length and check of the text; check of
              the words

Numbers are in the machine's byte order, for such files never leave it. Records are multiples of 32
bytes, so that every word is aligned and is read and written as one. A record is there once its
length is, which is written last: a process may end at any moment, and what it leaves can be read.
Where there is no length, the records end. Words change all the time and have no check, except in a
file of totals, which is written once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Final, NamedTuple
from zlib import crc32

import orjson

MAGIC: Final = b"otelmeta"
VERSION: Final = 1
UNIT: Final = 32
"""Records are multiples of so many bytes."""
REGION: Final = 65_536
"""What a worker's file grows by is a multiple of so many: of a page, too, on any machine."""
WORD: Final = 8

_PREAMBLE: Final = struct.Struct("=8sI20x")
_FIXED: Final = struct.Struct("=IHH")
_HEAD: Final = struct.Struct("=IHHIIII")
_LENGTH: Final = struct.Struct("=I")
_MOST_WORDS: Final = 0xFFFF

PREAMBLE: Final = _PREAMBLE.pack(MAGIC, VERSION)


class Kind(IntEnum):
    """What a record is."""

    FILLER = 1
    """Nothing, up to the end of a region."""
    OWNER = 2
    """The process that writes the file, or that it holds totals."""
    FAMILY = 3
    """A metric as its process declares it; counted from 0."""
    SERIES = 4
    """One series of a family. Its first word is when it began, 0.0 once nothing lives there."""


class DamagedError(Exception):
    """A file that cannot be read on from here."""


class Record(NamedTuple):
    """A record where it stands in its region, in bytes."""

    kind: int
    at: int
    length: int
    words: int

    @property
    def first_word(self) -> int:
        """Where the words begin, counted in words."""
        return (self.at + self.length) // WORD - self.words


def size_of(text: bytes, words: int) -> int:
    """How many bytes a record takes.

    Raises:
        ValueError: it would have more words than a record can.
    """
    if words > _MOST_WORDS:
        raise ValueError(f"{words} numbers are more than the {_MOST_WORDS} of a series")
    return -(-(_HEAD.size + len(text) + WORD * words) // UNIT) * UNIT


def write(
    region: memoryview, at: int, kind: Kind, text: bytes, words: int, *, first: float = 0.0
) -> Record:
    """Write a record into an empty place; it is there when this returns.

    Args:
        region: where it goes.
        at: the place, in bytes.
        kind: what it is.
        text: what it says.
        words: how many words there are, zero but for the first.
        first: the first.
    """
    record = Record(kind, at, size_of(text, words), words)
    write_text(region, record, text)
    if words:
        region.cast("d")[record.first_word] = first
    _LENGTH.pack_into(region, at, record.length)
    return record


def fill(region: memoryview, at: int) -> None:
    """Say that nothing follows in a region."""
    if at < len(region):
        record = Record(Kind.FILLER, at, len(region) - at, 0)
        write_text(region, record, b"")
        _LENGTH.pack_into(region, at, record.length)


def write_text(region: memoryview, record: Record, text: bytes) -> None:
    """Replace a record's text; its length stays."""
    fixed = (record.length, record.kind, record.words)
    head = _HEAD.pack(*fixed, crc32(_FIXED.pack(*fixed)), len(text), crc32(text), 0)
    start = record.at + _LENGTH.size
    region[start : record.at + _HEAD.size] = head[_LENGTH.size :]
    region[record.at + _HEAD.size : record.at + _HEAD.size + len(text)] = text


def room_for_text(record: Record) -> int:
    """How many bytes of text a record can hold."""
    return record.length - _HEAD.size - WORD * record.words


def end_of_records(region: memoryview, at: int) -> int:
    """The place behind the records from a place on, which are this process' own."""
    while at < len(region) and (length := _LENGTH.unpack_from(region, at)[0]):
        at += length
    return at


def check_preamble(file: memoryview) -> None:
    """Refuse what is no file of numbers.

    Raises:
        DamagedError: it is something else, or of a version that is not known here.
    """
    if len(file) < _PREAMBLE.size:
        raise DamagedError(f"it ends after {len(file)} bytes")
    magic, version = _PREAMBLE.unpack_from(file)
    if (magic, version) != (MAGIC, VERSION):
        raise DamagedError(f"it begins with {magic!r} in version {version}")


def records(region: memoryview, start: int) -> Iterator[Record]:
    """The records from a place on, as far as they are written.

    Raises:
        DamagedError: what stands there is no record.
    """
    at = start
    while at + UNIT <= len(region):
        length, kind, words, check, *_ = _HEAD.unpack_from(region, at)
        if length == 0:
            return
        record = Record(kind, at, length, words)
        if crc32(_FIXED.pack(length, kind, words)) != check or not _fits(record, len(region)):
            raise DamagedError(f"there is no record at byte {at}")
        yield record
        at += length


def text_of(region: memoryview, record: Record) -> Any:
    """What a record's text says.

    Raises:
        DamagedError: it is not as it was written.
    """
    *_, size, check, _ = _HEAD.unpack_from(region, record.at)
    start = record.at + _HEAD.size
    text = bytes(region[start : start + size]) if size <= room_for_text(record) else b""
    if crc32(text) != check or not text:
        raise DamagedError(f"the text at byte {record.at} is not as it was written")
    return orjson.loads(text)


def seal(region: memoryview, record: Record) -> None:
    """Keep a check of a record's words, which change no more."""
    check = _check_of_words(region, record)
    _LENGTH.pack_into(region, record.at + _HEAD.size - _LENGTH.size, check)


def check_words(region: memoryview, record: Record) -> None:
    """Compare a record's words with the check that `seal` kept.

    Raises:
        DamagedError: they are not as they were written.
    """
    *_, check = _HEAD.unpack_from(region, record.at)
    if _check_of_words(region, record) != check:
        raise DamagedError(f"the numbers at byte {record.at} are not as they were written")


def _check_of_words(region: memoryview, record: Record) -> int:
    start = record.first_word * WORD
    return crc32(region[start : start + WORD * record.words])


def _fits(record: Record, size: int) -> bool:
    return (
        record.length % UNIT == 0
        and record.at + record.length <= size
        and room_for_text(record) >= 0
    )

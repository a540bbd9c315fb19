"""Compaction: adds the series of dead workers to the totals, so that their files can be removed.

The package's docstring explains crash safety.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby
from operator import attrgetter
from typing import Final, NamedTuple

import orjson

from otel_meta.runtime.gil import yielding_gil
from otel_meta.runtime.interruption import suppress_faults
from otel_meta.runtime.recording.family import OVERFLOW
from otel_meta.runtime.recording.instrument_kinds import INSTRUMENT_KINDS

from . import file_format
from .aggregation import Numbers, merged_numbers, within_limit
from .descriptor import MetricDescriptor
from .directory import Directory
from .file_format import PREAMBLE, RecordKind
from .reader import DESCRIPTOR, OWNER_WORDS, START, MappedSeries, Owner, WorkerFile


class TotalSeries(NamedTuple):
    """A series of the totals."""

    labels: tuple[str, ...]
    start_ns: int
    numbers: Numbers


Totals = list[tuple[MetricDescriptor, list[TotalSeries]]]


class _Part(NamedTuple):
    is_added: bool
    series: MappedSeries


_START: Final = attrgetter("series.start_ns")
_MergeKey = tuple[object, ...]
_Parts = defaultdict[tuple[str, ...], list[_Part]]


def compact(sources: Iterable[WorkerFile], living: Iterable[WorkerFile]) -> Totals:
    """Add up the series of some files.

    Args:
        sources: the previous totals and the files of dead workers, oldest first.
        living: the files of living workers. Their series are not added up, but they are ranked with
            the others, so a series within the limit of the service stays within the limit.
    """
    descriptors: dict[_MergeKey, MetricDescriptor] = {}
    parts: dict[_MergeKey, _Parts] = {}
    for metric, every in _by_descriptor(sources):
        if metric.survives_worker:
            descriptors[metric.merge_key] = metric
            found = parts.setdefault(metric.merge_key, defaultdict(list))
            for series in yielding_gil(filter(has_valid_values, every)):
                found[series.labels].append(_Part(True, series))
    over = {key for key, metric in descriptors.items() if len(parts[key]) > metric.max_series}
    for metric, every in _by_descriptor(living if over else ()):
        if metric.merge_key in over:
            found = parts[metric.merge_key]
            for series in yielding_gil(every):
                found[series.labels].append(_Part(False, series))
    return [(metric, list(_add(metric, parts[key]))) for key, metric in descriptors.items()]


def _by_descriptor(
    files: Iterable[WorkerFile],
) -> Iterator[tuple[MetricDescriptor, Iterator[MappedSeries]]]:
    return groupby(chain.from_iterable(file.all_series() for file in files), DESCRIPTOR)


def _add(metric: MetricDescriptor, found: _Parts) -> Iterator[TotalSeries]:
    merge = INSTRUMENT_KINDS[metric.kind].merge
    for labels, parts in yielding_gil(within_limit(found, metric.max_series, _START).items()):
        added = [part.series for part in parts if part.is_added]
        if added:
            numbers = merged_numbers(merge, list(map(numbers_of, added)))
            yield TotalSeries(labels, min(map(START, added)), numbers)


def numbers_of(series: MappedSeries) -> Numbers:
    """Return the current numbers of a series."""
    first = series.first_word
    return series.words[first : first + series.descriptor.width].tolist()


def has_valid_values(series: MappedSeries) -> bool:
    """Return True if all numbers are finite, and no counter or bucket is negative."""
    numbers = numbers_of(series)
    counts = numbers[INSTRUMENT_KINDS[series.descriptor.kind].non_negative]
    return all(map(math.isfinite, numbers)) and min(counts, default=0.0) >= 0


def write_totals(directory: Directory, totals: Totals, owner: Owner) -> None:
    """Replace the totals file atomically. Call it with the directory lock.

    Args:
        directory: the multiprocess directory.
        totals: the result of `compact`.
        owner: the owner record, with the names of the files added up.

    Raises:
        OSError: the file cannot be written. The previous totals are unchanged.
    """
    try:
        directory.new.write_bytes(_encode_file(totals, owner))
        directory.new.replace(directory.totals)
    finally:
        directory.remove_new()


def create_totals(directory: Directory, owner: Owner) -> None:
    """Create empty totals, unless another process did. The directory lock is not needed.

    Raises:
        OSError: the file cannot be written.
    """
    new = directory.new_path()
    try:
        new.write_bytes(_encode_file([], owner))
        with suppress_faults(FileExistsError):
            directory.totals.hardlink_to(new)
    finally:
        new.unlink(missing_ok=True)


def _encode_file(totals: Totals, owner: Owner) -> memoryview:
    records = list(yielding_gil(_records(totals)))
    owner = replace(owner, started=time.time(), record_count=1 + len(records))
    return _encode([(RecordKind.OWNER, owner.as_json(), (0.0,) * OWNER_WORDS), *records])


_Row = tuple[RecordKind, bytes, Sequence[float]]


def _records(totals: Totals) -> Iterator[_Row]:
    for index, (descriptor, every_series) in enumerate(totals):
        yield RecordKind.DESCRIPTOR, descriptor.as_json(), ()
        for labels, start_ns, numbers in every_series:
            text = orjson.dumps((index, None if labels is OVERFLOW else labels))
            yield RecordKind.SERIES, text, (float(start_ns), *numbers)


def _encode(rows: Sequence[_Row]) -> memoryview:
    size = sum(file_format.record_size(text, len(words)) for _, text, words in yielding_gil(rows))
    file = memoryview(bytearray(len(PREAMBLE) + size))
    file[: len(PREAMBLE)] = PREAMBLE
    file_words = file.cast("d")
    offset = len(PREAMBLE)
    for kind, text, words in yielding_gil(rows):
        record = file_format.write_record(file, offset, kind, text, len(words))
        for index, word in enumerate(words, record.first_word):
            file_words[index] = word
        file_format.write_words_checksum(file, record)
        offset += record.length
    return file

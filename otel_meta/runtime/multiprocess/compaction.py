"""Compaction: adds the series of dead workers to the totals, so that their files can be removed.

The package's docstring explains crash safety.
"""

from __future__ import annotations

import math
import time
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby
from typing import NamedTuple

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


Totals = Iterable[tuple[MetricDescriptor, Iterable[TotalSeries]]]

_MergeKey = tuple[object, ...]
_Parts = dict[tuple[str, ...], tuple[MappedSeries, ...]]


def compact(sources: Iterable[WorkerFile], living: Iterable[WorkerFile]) -> Totals:
    """Add up the series of some files, each when the result is iterated.

    Few objects live at the same time: many new objects cause full garbage collections, and each of
    these holds the GIL.

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
            found = parts.setdefault(metric.merge_key, {})
            _collect(filter(has_valid_values, every), found)
    over = {key for key, metric in descriptors.items() if len(parts[key]) > metric.max_series}
    ranked = set[int]()
    for metric, every in _by_descriptor(living if over else ()):
        if metric.merge_key in over:
            ranked |= _collect(every, parts[metric.merge_key])
    return ((metric, _add(metric, parts[key], ranked)) for key, metric in descriptors.items())


def _by_descriptor(
    files: Iterable[WorkerFile],
) -> Iterator[tuple[MetricDescriptor, Iterator[MappedSeries]]]:
    return groupby(chain.from_iterable(file.all_series() for file in files), DESCRIPTOR)


def _collect(every: Iterable[MappedSeries], found: _Parts) -> set[int]:
    """Add series to those of equal labels, and return the identities of the objects."""
    identities = set[int]()
    for series in yielding_gil(every):
        found[series.labels] = (*found.get(series.labels, ()), series)
        identities.add(id(series))
    return identities


def _add(metric: MetricDescriptor, found: _Parts, ranked: Collection[int]) -> Iterator[TotalSeries]:
    merge = INSTRUMENT_KINDS[metric.kind].merge
    for labels, parts in within_limit(found, metric.max_series, START).items():
        added = [series for series in parts if id(series) not in ranked]
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


def _encode_file(totals: Totals, owner: Owner) -> bytes:
    records = list(yielding_gil(_records(totals)))
    owner = replace(owner, started=time.time(), record_count=1 + len(records))
    first = _record(RecordKind.OWNER, owner.as_json(), (0.0,) * OWNER_WORDS)
    return b"".join((PREAMBLE, first, *records))


def _records(totals: Totals) -> Iterator[bytes]:
    for index, (descriptor, every_series) in enumerate(totals):
        yield _record(RecordKind.DESCRIPTOR, descriptor.as_json(), ())
        for labels, start_ns, numbers in every_series:
            text = orjson.dumps((index, None if labels is OVERFLOW else labels))
            yield _record(RecordKind.SERIES, text, (float(start_ns), *numbers))


def _record(kind: RecordKind, text: bytes, words: Sequence[float]) -> bytes:
    region = memoryview(bytearray(file_format.record_size(text, len(words))))
    record = file_format.write_record(region, 0, kind, text, len(words))
    region.cast("d")[record.first_word :] = memoryview(array("d", words))
    file_format.write_words_checksum(region, record)
    return region.tobytes()

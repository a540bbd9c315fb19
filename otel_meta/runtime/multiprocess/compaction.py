"""Adding what dead workers have left to the totals, so that their files can go."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

import orjson

from otel_meta.runtime.gil import yielding_gil
from otel_meta.runtime.recording.family import OVERFLOW
from otel_meta.runtime.recording.instrument_kinds import INSTRUMENT_KINDS

from . import file_format as layout
from .descriptor import Declared
from .directory import Directory
from .file_format import Kind
from .merging import Numbers, merged_numbers, within_limit
from .reader import Owner, Series, WorkerFile


class Total(NamedTuple):
    """A series of the dead."""

    labels: tuple[str, ...]
    start_ns: int
    numbers: Numbers


Totals = list[tuple[Declared, list[Total]]]


class _Part(NamedTuple):
    is_folded: bool
    series: Series


def compacted_totals(folded: Iterable[WorkerFile], living: Iterable[WorkerFile]) -> Totals:
    """What the folded files come to.

    Args:
        folded: the totals so far and the files of the dead, oldest first.
        living: the other files. They decide with those which series are within the limit.
    """
    metrics: dict[_Shape, Declared] = {}
    parts: dict[_Shape, _Parts] = {}
    for series in yielding_gil(chain.from_iterable(c.every_series() for c in folded)):
        if series.of.survives_worker and has_valid_values(series):
            shape = series.of.shape
            metrics[shape] = series.of
            found = parts.setdefault(shape, defaultdict(list))
            found[series.labels].append((series.start_ns, _Part(True, series)))
    over = {shape for shape, of in metrics.items() if len(parts[shape]) > of.limit}
    for series in chain.from_iterable(c.every_series() for c in living) if over else ():
        if series.of.shape in over:
            found = parts[series.of.shape]
            found[series.labels].append((series.start_ns, _Part(False, series)))
    return [(of, list(_added(of, parts[shape]))) for shape, of in metrics.items()]


_Shape = tuple[object, ...]
_Parts = defaultdict[tuple[str, ...], list[tuple[int, _Part]]]


def _added(of: Declared, found: _Parts) -> Iterator[Total]:
    merge = INSTRUMENT_KINDS[of.kind].merge
    for labels, parts in yielding_gil(within_limit(found, of.limit).items()):
        folded = [(start, part.series) for start, part in parts if part.is_folded]
        if folded:
            numbers = merged_numbers(merge, [numbers_of(series) for _, series in folded])
            yield Total(labels, min(start for start, _ in folded), numbers)


def numbers_of(series: Series) -> Numbers:
    """The numbers that a series has now."""
    return series.words[series.at : series.at + series.of.width].tolist()


def has_valid_values(series: Series) -> bool:
    """Whether its numbers can be what a worker has recorded."""
    numbers = numbers_of(series)
    counts = numbers[INSTRUMENT_KINDS[series.of.kind].non_negative]
    return all(map(math.isfinite, numbers)) and min(counts, default=0.0) >= 0


def write_totals(directory: Directory, totals: Totals, owner: Owner) -> None:
    """Replace the totals, at once.

    Raises:
        OSError: they cannot be written; the old ones are as they were.
    """
    records = list(_records(totals))
    owner = replace(owner, started=time.time(), records=1 + len(records))
    file = _laid_out([(Kind.OWNER, owner.as_text(), (0.0, 0.0)), *records])
    try:
        directory.new.write_bytes(file)
        directory.new.replace(directory.totals)
    finally:
        directory.clear()


_Row = tuple[Kind, bytes, Sequence[float]]


def _records(totals: Totals) -> Iterator[_Row]:
    for number, (of, series) in enumerate(totals):
        yield Kind.FAMILY, of.as_text(), ()
        for labels, start_ns, numbers in series:
            text = orjson.dumps((number, None if labels is OVERFLOW else labels))
            yield Kind.SERIES, text, (float(start_ns), *numbers)


def _laid_out(rows: Sequence[_Row]) -> memoryview:
    size = sum(layout.size_of(text, len(words)) for _, text, words in rows)
    file = memoryview(bytearray(len(layout.PREAMBLE) + size))
    file[: len(layout.PREAMBLE)] = layout.PREAMBLE
    numbers = file.cast("d")
    at = len(layout.PREAMBLE)
    for kind, text, words in yielding_gil(rows):
        record = layout.write(file, at, kind, text, len(words))
        for index, word in enumerate(words, record.first_word):
            numbers[index] = word
        layout.seal(file, record)
        at += record.length
    return file

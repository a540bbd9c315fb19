"""The history of a fleet: OpenMetrics text that promtool converts to blocks of Prometheus.

Recorded series are cut into blocks at the same times as the largest blocks of a Prometheus with a
retention of 30 days. Raw series are in one block for each group of services; in a running
Prometheus they are in the head.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from otel_meta.testing.pinned_tools import find

from .fleet import Series, Service, Values, raw, recorded

SCRAPE: Final = 15
EVALUATION: Final = 60
_LARGEST: Final = 54 * 3600
_UNBOUND: Final = "118098h"
"""A block length without a multiple near the present, so that raw blocks are not cut in two."""
_WORKERS: Final = 2
_PIECE: Final = 200
"""Services in a block of raw series, limited because promtool builds a block in memory."""

UNCOMPACTED: Final = (
    "--no-storage.tsdb.allow-overlapping-compaction",
    "--storage.tsdb.min-block-duration=2h",
    "--storage.tsdb.max-block-duration=2h",
)
"""Options that disable compaction, which is not part of the measurement."""

Timed = tuple[Series, range]


@dataclass(frozen=True)
class Past:
    """The time ranges of a history, relative to the first evaluation.

    Attributes:
        end: the time of the first evaluation, in seconds since 1970, a whole minute.
        raw: seconds of raw series before the end.
        ahead: seconds of raw series after the end, for the evaluations.
        days: maximal days of recorded series.
    """

    end: int
    raw: int
    ahead: int
    days: int = 37

    def slices(self) -> Iterator[range]:
        """Yield the time range of each block, oldest first."""
        start = self.end - self.days * 86_400
        while start < self.end:
            stop = min(self.end, start // _LARGEST * _LARGEST + _LARGEST)
            yield range(start, stop)
            start = stop

    def recorded(self, fleet: Iterable[Service], part: range) -> Iterator[Timed]:
        """Yield each recorded series with its times in a range."""
        for service in fleet:
            for one in recorded(service):
                start = max(part.start, self.end - one.seconds)
                if start < part.stop:
                    first = start + (self.end - start) % EVALUATION
                    yield one, range(first, part.stop, EVALUATION)

    def raw_series(self, fleet: Iterable[Service]) -> Iterator[Timed]:
        """Yield each raw series with its times."""
        times = range(self.end - self.raw, self.end + self.ahead, SCRAPE)
        for service in fleet:
            yield from ((one, times) for one in raw(service))


def write(past: Past, fleet: Sequence[Service], folder: Path) -> int:
    """Write blocks to ``folder/data`` and return the number of samples.

    Raises:
        RuntimeError: promtool refuses the text.
    """
    (folder / "data").mkdir()
    pieces = [fleet[n : n + _PIECE] for n in range(0, len(fleet), _PIECE)]
    work = [
        *(_Block(past, piece, folder / f"raw-{n}") for n, piece in enumerate(pieces)),
        *(_Block(past, fleet, folder / f"{part.start}", part) for part in past.slices()),
    ]
    with ProcessPoolExecutor(_WORKERS) as pool:
        return sum(pool.map(_Block.write, work))


@dataclass(frozen=True)
class _Block:
    """A block of raw series, or of recorded series in a time range."""

    past: Past
    fleet: Sequence[Service]
    folder: Path
    part: range | None = None

    def write(self) -> int:
        """Build the block, move it to the data folder, and delete temporary files."""
        self.folder.mkdir()
        text = self.folder / "samples.om"
        samples = _text(text, self._series())
        for block in backfill(text, self.folder, self._longest()):
            if self.part is None:
                _mark_out_of_order(block)
            block.rename(self.folder.parent / "data" / block.name)
        text.unlink()
        return samples

    def _series(self) -> Iterator[Timed]:
        if self.part is None:
            return self.past.raw_series(self.fleet)
        return self.past.recorded(self.fleet, self.part)

    def _longest(self) -> str:
        return _UNBOUND if self.part is None else f"{_LARGEST // 3600}h"


def write_raw(series: Iterable[Timed], folder: Path) -> None:
    """Write one block of these series to ``folder/data``.

    Raises:
        RuntimeError: promtool refuses the text.
    """
    text = folder / "samples.om"
    _text(text, series)
    backfill(text, folder / "data", _UNBOUND)
    text.unlink()


def _text(path: Path, parts: Iterable[Timed]) -> int:
    samples = 0
    with path.open("w") as text:
        for series, times in parts:
            text.write(series.head + series.head.join(_lines(series.values, times)))
            samples += len(times)
        text.write("# EOF\n")
    return samples


@cache
def _lines(values: Values, times: range) -> tuple[str, ...]:
    """Return the text after the labels of each sample, which many series share."""
    first = times.start // times.step  # blocks of a counter continue each other
    return tuple(f" {values.at(first + n)!r} {time}\n" for n, time in enumerate(times))


def backfill(text: Path, folder: Path, longest: str) -> list[Path]:
    """Convert OpenMetrics text to blocks in a folder, each up to a maximal length.

    Raises:
        RuntimeError: promtool refuses the text.
    """
    command: list[str | Path] = [find("promtool"), "tsdb", "create-blocks-from", "openmetrics"]
    done = subprocess.run(  # noqa: S603  # a pinned program
        [*command, f"--max-block-duration={longest}", "--quiet", text, folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return [meta.parent for meta in folder.glob("*/meta.json")]


def _mark_out_of_order(block: Path) -> None:
    """Allow rules to record at times within a block.

    Prometheus refuses samples older than the end of its newest block, except for blocks that are
    marked as out of order.
    """
    path = block / "meta.json"
    meta = json.loads(path.read_text())
    meta["compaction"]["hints"] = ["from-out-of-order"]
    path.write_text(json.dumps(meta))

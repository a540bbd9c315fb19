"""Writes a fleet's past as OpenMetrics text and has promtool make blocks of it.

What rules recorded is cut at the times at which a Prometheus that keeps 30 days cuts its largest
blocks. Raw series are in blocks of a number of services, where a running Prometheus has its head.
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
"""Longer than any multiple of it is near: the raw block is never cut in two."""
_WORKERS: Final = 2
_PIECE: Final = 200
"""Services in a block of raw series: promtool holds a block in memory while it makes it."""

UNCOMPACTED: Final = (
    "--no-storage.tsdb.allow-overlapping-compaction",
    "--storage.tsdb.min-block-duration=2h",
    "--storage.tsdb.max-block-duration=2h",
)
"""Options of a Prometheus that leaves blocks as they are: merging them is not what is measured."""

Timed = tuple[Series, range]


@dataclass(frozen=True)
class Past:
    """What to write: the moment at which rules begin to be evaluated, and how much around it.

    Attributes:
        end: seconds since 1970, a whole minute.
        raw: seconds of raw series before the end.
        ahead: seconds of raw series after it, for evaluations to see.
        days: how much of what rules recorded there is, at most.
    """

    end: int
    raw: int
    ahead: int
    days: int = 30

    def slices(self) -> Iterator[range]:
        """Spans of time, one a block, oldest first."""
        start = self.end - self.days * 86_400
        while start < self.end:
            stop = min(self.end, start // _LARGEST * _LARGEST + _LARGEST)
            yield range(start, stop)
            start = stop

    def recorded(self, fleet: Iterable[Service], part: range) -> Iterator[Timed]:
        """Each recorded series and its times in a slice."""
        for service in fleet:
            for one in recorded(service):
                start = max(part.start, self.end - one.seconds)
                if start < part.stop:
                    first = start + (self.end - start) % EVALUATION
                    yield one, range(first, part.stop, EVALUATION)

    def raw_series(self, fleet: Iterable[Service]) -> Iterator[Timed]:
        """Each raw series and its times."""
        times = range(self.end - self.raw, self.end + self.ahead, SCRAPE)
        for service in fleet:
            yield from ((one, times) for one in raw(service))


def write(past: Past, fleet: Sequence[Service], folder: Path) -> int:
    """Blocks of raw and of recorded series in ``folder/data``; how many samples they hold.

    Raises:
        RuntimeError: promtool does not take what was written.
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
    """A block to be made: of raw series, or of what rules recorded in a span of time."""

    past: Past
    fleet: Sequence[Service]
    folder: Path
    part: range | None = None

    def write(self) -> int:
        """Make it, move it to its place, and leave nothing else behind."""
        self.folder.mkdir()
        text = self.folder / "samples.om"
        samples = _text(text, self._series())
        for block in backfill(text, self.folder, self._longest()):
            if self.part is None:
                _step_aside(block)
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
    """One block of these series in ``folder/data``.

    Raises:
        RuntimeError: promtool does not take what was written.
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
    """All that comes after each sample's labels; many series share it."""
    return tuple(f" {values.at(n)!r} {time}\n" for n, time in enumerate(times))


def backfill(text: Path, folder: Path, longest: str) -> list[Path]:
    """Make blocks of OpenMetrics text in a folder, each no longer than this.

    Raises:
        RuntimeError: promtool does not take the text.
    """
    command: list[str | Path] = [find("promtool"), "tsdb", "create-blocks-from", "openmetrics"]
    done = subprocess.run(  # noqa: S603  # a program of ours, found by name
        [*command, f"--max-block-duration={longest}", "--quiet", text, folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return [meta.parent for meta in folder.glob("*/meta.json")]


def _step_aside(block: Path) -> None:
    """Let rules record at times that a block covers already.

    Prometheus takes nothing older than the end of its newest block, but for blocks that say they
    hold what came out of order.
    """
    path = block / "meta.json"
    meta = json.loads(path.read_text())
    meta["compaction"]["hints"] = ["from-out-of-order"]
    path.write_text(json.dumps(meta))

"""The format of the history file: lines of JSON, each with a checksum.

The first line names format, version and service. A line for each SLO follows, with its whole
history. Every further line has the next sample of each SLO, and the wall clock. Lines are only
appended, so that the readable beginning of a file is the file of an earlier moment.

The times of samples are those of the writer's monotonic clock. The wall clock places the last
sample, and with it all others: a clock that was set in between moves no sample against another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from zlib import crc32

import orjson

from otel_meta.status.events import Events

from .history import History, Sample
from .past import Moment
from .saved_slo import Key, SavedSlo

FORMAT: Final = "SLO history of otel_meta"
VERSION: Final = 1
_CHECKSUM_LENGTH: Final = 9
"""Eight digits and a space."""
_UNFIT: Final = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError)
"""What a value of another form can raise."""


class DamageError(ValueError):
    """A line is not one that this version has written."""


def header(service: Iterable[str]) -> bytes:
    """Return the first line."""
    return _line({"format": FORMAT, "version": VERSION, "service": list(service)})


def slo_line(saved: SavedSlo) -> bytes:
    """Return the line of an SLO with its history."""
    return _line(
        {
            "slo": saved.key,
            "sli": saved.sli,
            "period": saved.history.period,
            "mark": tuple(saved.mark),
            "origins": sorted(saved.origins),
            "samples": saved.history.columns(),
        }
    )


def step_line(slos: Iterable[SavedSlo], moment: Moment, origins: Iterable[str]) -> bytes:
    """Return the line of the newest samples of some SLOs, which are the first in the file."""
    return _line(
        {
            "now": moment.now,
            "wall": moment.wall,
            "origins": sorted(origins),
            "samples": [(*saved.history.last, *saved.mark) for saved in slos],
        }
    )


class SavedHistories:
    """The histories in a file, in the times of this process.

    Args:
        service: namespace and name of the service that may read the file.
    """

    def __init__(self, service: Iterable[str]) -> None:
        self._service: Final = list(service)
        self._slos: Final[list[SavedSlo]] = []
        self._has_header = False
        self._shift: float | None = None
        self._last: Moment | None = None

    def slos(self) -> dict[Key, SavedSlo]:
        """Return the saved SLOs; none before their time is known."""
        return {saved.key: saved for saved in self._slos} if self._shift is not None else {}

    def read(self, data: bytes, moment: Moment) -> None:
        """Read complete lines.

        Raises:
            DamageError: a line is damaged; the lines before it are read.
        """
        try:
            for text in data.removesuffix(b"\n").split(b"\n"):
                self._apply(_value(text))
        finally:
            self._place(moment)

    def _apply(self, value: Any) -> None:
        try:
            if not self._has_header:
                self._check(value)
            elif "slo" in value:
                self._slos.append(_saved(value))
            else:
                self._step(value)
        except _UNFIT as error:
            raise DamageError(f"a line has another form: {error!r}") from error

    def _check(self, value: Any) -> None:
        if value["format"] != FORMAT or value["version"] != VERSION:
            raise DamageError(f"it has the format {value['format']!r}, {value['version']!r}")
        if value["service"] != self._service:
            raise DamageError(f"it belongs to the service {value['service']!r}")
        self._has_header = True

    def _step(self, value: Any) -> None:
        self._last = Moment(float(value["now"]), float(value["wall"]))
        for saved, (at, bad, total, covered, *mark) in zip(
            self._slos, value["samples"], strict=False
        ):
            saved.history.add(Sample(at + (self._shift or 0.0), bad, total, covered))
            saved.mark = Events(*mark)
            saved.origins = value["origins"]

    def _place(self, moment: Moment) -> None:
        """Move the samples to the times of this process, once the file tells the wall clock.

        If the wall clock was set back since the last sample, no time has passed.
        """
        if self._shift is None and self._last is not None:
            passed = max(moment.wall - self._last.wall, 0.0)
            self._shift = moment.now - passed - self._last.now
            for saved in self._slos:
                saved.history.shift(self._shift)


def _saved(value: Any) -> SavedSlo:
    repo, slo = value["slo"]
    samples = (Sample(*row) for row in zip(*value["samples"], strict=True))
    history = History(float(value["period"]), samples)
    return SavedSlo((repo, slo), value["sli"], history, Events(*value["mark"]), value["origins"])


def _line(value: Any) -> bytes:
    text = orjson.dumps(value)
    return b"%08x %b\n" % (crc32(text), text)


def _value(line: bytes) -> Any:
    text = line[_CHECKSUM_LENGTH:]
    if line[:_CHECKSUM_LENGTH] != b"%08x " % crc32(text):
        raise DamageError("the checksum of a line is wrong")
    return orjson.loads(text)

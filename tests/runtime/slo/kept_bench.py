"""Processes of a service that keep the histories of their SLOs in one file, on fake clocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from otel_meta import MetaRepo, Slo
from otel_meta.model.slo.correction import Correction
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.runtime.slo.history_file import HistoryFile
from otel_meta.runtime.slo.tracker import INTERVAL, SloTracker
from otel_meta.status.events import Events
from otel_meta.status.status import Status
from otel_meta.testing import FakeClock
from tests.runtime.slo.acme_calls import Acme

SERVICE = ("acme", "checkout")
NOON = 1_800_000_000.0
"""A time of the wall clock."""


class Machine:
    """The clocks of a machine, and the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mono = FakeClock(1000.0)
        self.wall = FakeClock(NOON)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.mono.advance(seconds)
        self.wall.advance(seconds)

    def restart(self) -> None:
        """Start the machine again: the monotonic clock begins anew."""
        self.mono.now = 5.0


class Fault(NamedTuple):
    """A reported fault."""

    source: str
    reason: str
    detail: object


class Process:
    """A process with a tracker.

    Args:
        machine: clocks and disk.
        repo: the tracked meta-repository.
        storage: the series; those of another process if the processes share series.
        origins: names of the directory of shared series.
        corrections: times whose events do not count.
    """

    def __init__(  # each is a property of some process
        self,
        machine: Machine,
        repo: type[MetaRepo] = Acme,
        *,
        storage: MetricStorage | None = None,
        origins: frozenset[str] = frozenset(),
        corrections: tuple[Correction, ...] = (),
        service: tuple[str, str] = SERVICE,
    ) -> None:
        self.machine = machine
        self.storage = storage or MetricStorage(Faults())
        self.faults: list[Fault] = []
        self.file = HistoryFile(machine.path, service, self._report, lambda: origins)
        self.tracker = SloTracker(
            self.storage,
            machine.mono,
            wall_clock=machine.wall,
            service={"service_name": service[1]},
            corrections=corrections,
            file=self.file,
        )
        self.tracker.track(repo)

    def _report(self, source: str, reason: str, detail: object) -> None:
        self.faults.append(Fault(source, reason, detail))

    def live(self, instrument: Any) -> Any:
        """Return the live instrument."""
        return self.storage.recorder(instrument)

    def happen(self, bad: int, good: int) -> None:
        """Record some calls."""
        self.live(Acme.calls).add(bad + good)
        self.live(Acme.failures).add(bad)

    def run(self, seconds: float, step: float = INTERVAL) -> None:
        """Let time pass, with samples."""
        for _ in range(round(seconds / step)):
            self.machine.pass_time(step)
            self.tracker.sample()

    def kill(self) -> None:
        """End the process without a word: the kernel releases its lock, and closes its files."""
        self.file.after_fork()

    def status(self, slo: Slo = Acme.availability) -> Status:
        """Return the status of an SLO."""
        return self.tracker.status(slo)

    def events(self, slo: Slo = Acme.availability) -> Events:
        """Return the events of an SLO."""
        return self.status(slo).events

"""Damaged files of histories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

from otel_meta.status.events import Events

from .acme_calls import Acme
from .kept_bench import Machine, Process

DAMAGES = 1000

State = tuple[Events, float, float]


def state(process: Process) -> State:
    """Return events and covered time of one SLO, and the events of the other."""
    availability, steadiness = process.tracker.statuses()
    return availability.events, availability.covered, steadiness.events.total


def recorded(machine: Machine) -> list[State]:
    """Record a history, and return every state of it, beginning with none."""
    process = Process(machine)
    process.live(Acme.level).set(0)
    found = [(Events(0.0, 0.0), 0.0, 0.0)]
    for number in range(40):
        process.happen(number % 3, 10)
        process.run(10)
        found.append(state(process))
    process.kill()
    return found


def damaged(data: bytes, random: Random) -> Iterator[bytes]:
    """Yield truncated copies, and copies with some other bits."""
    while True:
        yield data[: random.randrange(len(data))]
        changed = bytearray(data)
        for _ in range(random.choice((1, 1, 2, 20))):
            changed[random.randrange(len(data))] ^= 1 << random.randrange(8)
        yield bytes(changed)


class TestDamage:
    def test_damaged_file_has_state_of_earlier_moment_or_none(self, tmp_path: Path) -> None:
        """A damaged file never raises, and has the state of some earlier moment, or none."""
        machine = Machine(tmp_path / "slo")
        states = recorded(machine)
        data = machine.path.read_bytes()
        reasons: set[str] = set()
        found: set[State] = set()
        for copy, _ in zip(damaged(data, Random(14)), range(DAMAGES), strict=False):
            machine.path.write_bytes(copy)
            process = Process(machine)
            found.add(state(process))
            reasons.update(fault.reason for fault in process.faults)
            process.kill()

        assert set() == found - set(states)
        assert len(found) > len(states) / 2
        assert {"damaged file"} == reasons

    def test_process_goes_on_after_damage(self, tmp_path: Path) -> None:
        """After damage at the end of a file, a process counts on from the moment before."""
        machine = Machine(tmp_path / "slo")
        states = recorded(machine)
        lines = machine.path.read_bytes().splitlines(keepends=True)
        machine.path.write_bytes(b"".join(lines[:-2]) + b"0000" + b"".join(lines[-2:]))
        process = Process(machine)
        process.happen(1, 4)
        process.run(10)
        process.kill()
        (bad, total), _, _ = states[-3]

        assert Events(bad + 1, total + 5) == Process(machine).events()
        assert 1 == len(list(tmp_path.glob("slo.damaged-*")))

    def test_line_that_was_being_written_is_no_damage(self, tmp_path: Path) -> None:
        """A line without an end was being written when the process was killed: no fault."""
        machine = Machine(tmp_path / "slo")
        states = recorded(machine)
        machine.path.write_bytes(machine.path.read_bytes()[:-20])
        process = Process(machine)

        assert (states[-2], []) == (state(process), process.faults)

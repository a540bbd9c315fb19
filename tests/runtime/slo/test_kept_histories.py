from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from otel_meta import MetaRepo, Slo
from otel_meta.runtime.slo.tracker import INTERVAL
from otel_meta.status.events import Events
from tests.runtime.forks import in_child

from .acme_calls import DAY, HOUR, Acme
from .kept_bench import Machine, Process

SHARED = frozenset({"totals"})


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine with a path for the history."""
    return Machine(tmp_path / "state" / "slo")


@pytest.mark.usefixtures("disk_without_delay")
class TestRestart:
    def test_killed_process_loses_events_since_last_sample_alone(self, machine: Machine) -> None:
        """A killed process loses the events since its last sample, and none before."""
        first = Process(machine)
        first.happen(1, 99)
        first.run(20)
        first.happen(7, 0)
        first.kill()
        machine.pass_time(300)

        assert Events(1.0, 100.0) == Process(machine).events()

    def test_process_that_ends_in_order_loses_nothing(self, machine: Machine) -> None:
        """A process that ends in order loses nothing."""
        first = Process(machine)
        first.run(20)
        first.happen(7, 3)
        first.tracker.close()

        assert Events(7.0, 10.0) == Process(machine).events()

    def test_restart_changes_no_number_of_status(self, machine: Machine) -> None:
        """A restart changes neither budget, burn rates nor burn-down, even of the whole machine."""
        first = Process(machine)
        for bad in (0, 5, 1, 0, 9):
            first.happen(bad, 100)
            first.run(2 * HOUR, step=60)
        before = first.status()
        first.kill()
        machine.restart()
        after = Process(machine).status()

        assert (before.events, before.burns) == (after.events, after.burns)
        for point, other in zip(before.burn_down, after.burn_down, strict=True):
            assert point == pytest.approx(other)
        assert before.covered == pytest.approx(after.covered)

    def test_events_after_restart_are_added(self, machine: Machine) -> None:
        """The events after several restarts are added to those before."""
        for _ in range(4):
            process = Process(machine)
            process.happen(1, 9)
            process.run(30)
            process.kill()
            machine.pass_time(60)
        status = Process(machine).status()

        assert (Events(4.0, 40.0), 120.0) == (status.events, status.covered)

    def test_time_without_process_is_not_covered(self, machine: Machine) -> None:
        """A time without a process is not covered, and its seconds are no time slices."""
        for level in (1, 0):
            process = Process(machine)
            process.live(Acme.level).set(level)
            process.run(100)
            process.kill()
            machine.pass_time(20)
        status = Process(machine).status(Acme.steadiness)

        assert (Events(100.0, 200.0), 200.0) == (status.events, status.covered)

    def test_events_leave_period_after_restart(self, machine: Machine) -> None:
        """Events from before a restart leave the period at their time."""
        first = Process(machine)
        first.happen(1, 9)
        first.run(10)
        first.kill()
        machine.pass_time(7 * DAY - 100)
        early = Process(machine)
        found = early.events()
        early.kill()
        machine.pass_time(200)

        assert (Events(1.0, 10.0), Events(0.0, 0.0)) == (found, Process(machine).events())


@pytest.mark.usefixtures("disk_without_delay")
class TestWallClock:
    def test_wall_clock_that_goes_back_removes_no_event(self, machine: Machine) -> None:
        """If the wall clock is set back, the history ends at the restart, and leaves in time."""
        first = Process(machine)
        first.happen(1, 9)
        first.run(HOUR)
        first.kill()
        machine.wall.advance(-30 * DAY)
        second = Process(machine)
        status = second.status()
        machine.pass_time(8 * DAY)

        assert (Events(1.0, 10.0), 3600.0) == (status.events, status.covered)
        assert "no_data" == second.status().state

    def test_jump_of_wall_clock_in_process_moves_no_sample(self, machine: Machine) -> None:
        """A jump of the wall clock while a process runs moves no sample, even after a restart."""
        first = Process(machine)
        first.happen(1, 9)
        first.run(HOUR)
        machine.wall.advance(300 * DAY)
        first.run(HOUR)
        first.kill()
        machine.pass_time(HOUR)

        assert Events(1.0, 10.0) == Process(machine).events()

    def test_jump_of_wall_clock_between_processes_is_time_without_process(
        self, machine: Machine
    ) -> None:
        """A jump of the wall clock between two processes counts as time without a process."""
        first = Process(machine)
        first.happen(1, 9)
        first.run(HOUR)
        first.kill()
        machine.wall.advance(8 * DAY)

        assert "no_data" == Process(machine).status().state


class Stricter(MetaRepo, name="acme", owner="us"):
    """Calls, with another objective and period."""

    calls, failures = Acme.calls, Acme.failures
    availability = Slo(
        "acme-availability", objective="99.9%", period="30d", sli=Acme.availability.sli, why="Wait."
    )


class Renamed(MetaRepo, name="acme", owner="us"):
    """Calls, with another name of the SLO."""

    calls, failures = Acme.calls, Acme.failures
    availability = Slo(
        "acme-calls",
        objective="99%",
        period="7d",
        sli=Acme.availability.sli,
        why="Wait.",
        formerly=("acme-availability",),
    )


class Inverted(MetaRepo, name="acme", owner="us"):
    """Calls, with another indicator."""

    calls, failures = Acme.calls, Acme.failures
    availability = Slo(
        "acme-availability",
        objective="99%",
        period="7d",
        sli=calls.ratio(good=failures),
        why="Wait.",
    )


class TestDeclaration:
    @pytest.mark.parametrize(
        ("repo", "total"), [(Stricter, 10.0), (Renamed, 10.0), (Inverted, 0.0)]
    )
    def test_counts_are_kept_if_indicator_is_the_same(
        self, machine: Machine, repo: type[MetaRepo], total: float
    ) -> None:
        """Counts are kept with another objective, period or former name, not with another SLI."""
        first = Process(machine)
        first.happen(1, 9)
        first.run(20)
        first.kill()

        assert total == Process(machine, repo).tracker.statuses()[0].events.total

    def test_slo_that_is_not_tracked_for_while_keeps_its_counts(self, machine: Machine) -> None:
        """An SLO that some processes do not track keeps its counts in their file."""
        for repo, calls in ((Acme, 10), (Renamed, 0)):
            process = Process(machine, repo)
            process.happen(0, calls)
            process.live(Acme.level).set(0)
            process.run(30)
            process.kill()

        assert Events(30.0, 30.0) == Process(machine).events(Acme.steadiness)

    def test_meta_repository_that_is_tracked_later_has_its_counts(self, machine: Machine) -> None:
        """A meta-repository that is tracked long after the start has its saved counts."""

        class Empty(MetaRepo, name="empty", owner="us"):
            """Nothing."""

        first = Process(machine)
        first.happen(1, 9)
        first.run(20)
        first.kill()
        second = Process(machine, Empty)
        second.run(20)
        second.tracker.track(Acme)

        assert Events(1.0, 10.0) == second.events()


class TestSeveralProcesses:
    def test_workers_with_shared_series_answer_same(self, machine: Machine) -> None:
        """Workers that share series answer the same, whichever writes the file."""
        writer = Process(machine, origins=SHARED)
        writer.happen(1, 9)
        writer.run(HOUR)
        other = Process(machine, storage=writer.storage, origins=SHARED)
        other.happen(2, 8)
        machine.pass_time(5)
        found = [each.status() for each in (writer, other)]

        assert (True, False) == (writer.file.is_owner, other.file.is_owner)
        assert Events(3.0, 20.0) == found[0].events == found[1].events
        assert found[0].burns == found[1].burns
        assert 3605.0 == found[0].covered == found[1].covered

    def test_worker_takes_over_file_of_killed_worker(self, machine: Machine) -> None:
        """Another worker writes the file once its writer is killed, and no event counts twice."""
        writer = Process(machine, origins=SHARED)
        other = Process(machine, storage=writer.storage, origins=SHARED)
        writer.happen(1, 9)
        for _ in range(30):
            machine.pass_time(INTERVAL)
            writer.tracker.sample()
            other.tracker.sample()
        writer.kill()
        other.happen(2, 8)
        other.run(60)
        other.kill()
        third = Process(machine, storage=writer.storage, origins=SHARED)

        assert (Events(3.0, 20.0), 360.0) == (third.events(), third.status().covered)

    def test_events_in_files_of_workers_count_once_after_restart(self, machine: Machine) -> None:
        """Series that outlive their workers count once, with the events since the last sample."""
        first = Process(machine, origins=SHARED)
        first.happen(1, 9)
        first.run(60)
        first.happen(2, 8)
        first.kill()
        machine.pass_time(HOUR)
        second = Process(machine, storage=first.storage, origins=SHARED)
        found = second.events()
        second.happen(0, 1)
        second.run(10)

        assert (Events(3.0, 20.0), Events(3.0, 21.0)) == (found, second.events())

    def test_replaced_directory_of_workers_counts_from_zero(self, machine: Machine) -> None:
        """If the directory of the workers was replaced, its series are new events."""
        first = Process(machine, origins=SHARED)
        first.happen(1, 9)
        first.run(60)
        first.kill()
        second = Process(machine, origins=frozenset({"others"}))
        second.happen(1, 4)

        assert Events(2.0, 15.0) == second.events()

    def test_process_with_own_series_joins_history_once_it_is_free(self, machine: Machine) -> None:
        """A process with series of its own joins the history once the file is free."""
        first, second = Process(machine), Process(machine)
        first.happen(1, 9)
        second.happen(2, 8)
        for _ in range(6):
            machine.pass_time(INTERVAL)
            first.tracker.sample()
            second.tracker.sample()
        apart = second.events()
        first.kill()
        second.run(INTERVAL)
        second.kill()
        status = Process(machine).status()

        assert (Events(2.0, 10.0), Events(3.0, 20.0)) == (apart, status.events)
        assert 70.0 == status.covered

    def test_locked_file_is_told_once(
        self, machine: Machine, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A process with series of its own says once that another process writes the file."""
        first, second = Process(machine), Process(machine)
        first.run(20)
        second.run(20)

        assert [f"another process writes {machine.path}"] == [
            record.getMessage().partition(";")[0] for record in caplog.records
        ]

    def test_child_does_not_write_file_of_its_parent(self, machine: Machine) -> None:
        """A forked child does not write its parent's file, and the parent keeps the lock."""
        parent = Process(machine)
        parent.happen(1, 9)
        parent.run(20)
        before = machine.path.read_bytes()

        def sample() -> tuple[bool, Events]:
            parent.happen(5, 5)
            parent.run(100)
            return parent.file.is_owner, parent.events()

        assert (False, Events(5.0, 10.0)) == in_child(sample)
        assert before == machine.path.read_bytes()
        parent.run(INTERVAL)
        assert parent.file.is_owner
        assert not Process(machine).file.is_owner


class TestForkedWorker:
    def test_child_with_shared_series_answers_from_file_of_its_parent(
        self, machine: Machine
    ) -> None:
        """A forked worker with shared series answers from its parent's file, and writes nothing."""
        parent = Process(machine, origins=SHARED)
        parent.happen(1, 9)
        parent.run(20)
        before = machine.path.read_bytes()

        def events() -> tuple[Events, bool]:
            parent.run(20)
            return parent.events(), parent.file.is_owner

        assert (Events(1.0, 10.0), False) == in_child(events)
        assert before == machine.path.read_bytes()


@pytest.mark.usefixtures("disk_without_delay")
class TestFile:
    def test_file_stays_small(self, machine: Machine) -> None:
        """The file is written anew before it has grown by much more than the histories."""
        process = Process(machine)
        sizes: list[int] = []
        for _ in range(12):
            process.run(HOUR)
            sizes.append(machine.path.stat().st_size)

        assert max(sizes) < 250_000

    def test_removed_file_is_written_again(self, machine: Machine) -> None:
        """A file that was removed while its process runs is written again, as a whole."""
        process = Process(machine)
        process.happen(1, 9)
        process.run(20)
        machine.path.unlink()
        process.run(20)
        process.kill()

        assert Events(1.0, 10.0) == Process(machine).events()

    @pytest.mark.parametrize("content", [b"", b"hello", b"hello\n", b"\0" * 5000, b"00000000 {}\n"])
    def test_foreign_file_is_set_aside_with_one_fault(
        self, machine: Machine, content: bytes
    ) -> None:
        """A foreign file is set aside as it is, with one fault; an empty file is no fault."""
        machine.path.parent.mkdir()
        machine.path.write_bytes(content)
        process = Process(machine)
        process.happen(1, 9)
        process.run(60)
        aside = [path.read_bytes() for path in machine.path.parent.glob("slo.damaged-*")]

        assert ([content] if content else []) == aside
        assert ["damaged file"] * bool(content) == [fault.reason for fault in process.faults]
        assert Events(1.0, 10.0) == process.events()

    def test_file_of_other_service_is_set_aside(self, machine: Machine) -> None:
        """The file of another service is set aside: its events are not counted."""
        other = Process(machine, service=("acme", "shop"))
        other.happen(1, 9)
        other.run(20)
        other.kill()
        process = Process(machine)

        assert "no_data" == process.status().state
        assert ["damaged file"] == [fault.reason for fault in process.faults]

    def test_directory_that_cannot_be_made_is_fault_and_tracker_counts_on(
        self, machine: Machine
    ) -> None:
        """A directory that cannot be made is a fault, and the tracker counts in memory."""
        machine.path.parent.touch()
        process = Process(machine)
        process.happen(1, 9)
        process.run(20)

        assert {"lock"} == {fault.reason for fault in process.faults}
        assert Events(1.0, 10.0) == process.events()

    @pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["directory", "pipe"])
    def test_path_that_is_no_file_is_fault_and_tracker_counts_on(
        self, machine: Machine, make: Callable[[Path], None]
    ) -> None:
        """A path of a directory or a pipe is a fault, stays, and the tracker counts in memory."""
        machine.path.parent.mkdir(exist_ok=True)
        make(machine.path)
        process = Process(machine)
        process.happen(1, 9)
        process.run(20)

        assert {"lock"} == {fault.reason for fault in process.faults}
        assert Events(1.0, 10.0) == process.events()
        assert [machine.path] == [*machine.path.parent.iterdir()]

    def test_link_stays_and_its_target_is_written(self, machine: Machine) -> None:
        """A symbolic link stays one, and the file behind it has the history."""
        target = machine.path.parent.parent / "elsewhere"
        machine.path.parent.mkdir(exist_ok=True)
        machine.path.symlink_to(target)
        process = Process(machine)
        process.happen(1, 9)
        process.run(20)

        assert machine.path.is_symlink()
        assert target.read_bytes()

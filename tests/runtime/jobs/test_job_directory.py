from __future__ import annotations

import os
from pathlib import Path

import pytest

from otel_meta.runtime.jobs.job_directory import VARIABLE, job_directory
from otel_meta.runtime.multiprocess.workers import Workers

HOURS = 7200


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the directories of runs in the folder of the test."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)


def test_spawned_child_joins_run_of_parent() -> None:
    """A spawned child joins the run of its parent, which sends the counts of both."""
    parent, child = job_directory(is_child=False), job_directory(is_child=True)

    assert parent is not None
    assert child is not None
    assert (parent.path, True, False) == (child.path, parent.is_ours, child.is_ours)
    parent.close()


def test_process_that_is_no_child_begins_run_of_its_own() -> None:
    """A program that a job starts begins a run of its own, although it inherits the variable."""
    job, program = job_directory(is_child=False), job_directory(is_child=False)

    assert job is not None
    assert program is not None
    assert job.path != program.path
    assert program.is_ours


def test_end_of_run_removes_directory() -> None:
    """The end of a run removes its directory, which its children can see."""
    parent, child = job_directory(is_child=False), job_directory(is_child=True)
    assert parent is not None
    assert child is not None
    before = child.is_open
    parent.close()

    assert (True, False) == (before, child.is_open)


def test_directory_of_killed_run_is_removed_by_later_run(tmp_path: Path) -> None:
    """A later run removes the directory of a run that was killed, but none of a living one."""
    killed, living = job_directory(is_child=False), job_directory(is_child=False)
    assert killed is not None
    assert living is not None
    workers = Workers(living.path, "maps", "atlas")
    workers.allocator.publish_port(1)
    for each in (killed, living):
        os.utime(each.path, (0, each.path.stat().st_mtime - HOURS))
    later = job_directory(is_child=False)

    assert later is not None
    assert {living.path, later.path} == set(tmp_path.iterdir())
    workers.close()

"""Runs that are not repeated: a case that passed, until its input changes."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.rules import promtool
from tests.rules.pinned_tools import tool
from tests.rules.promtool import Case, QueryTest, run_cases
from tests.rules.rule_runs import KnownPasses

PASSING = Case([], {"up": "1"}, [QueryTest(0, "up", {"up": 1.0})])


def fail(*_: object) -> dict[str, str]:
    """Stand in for promtool where it must not run."""
    raise AssertionError("promtool runs")


class TestPass:
    def test_case_that_passed_is_not_repeated(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A case that passed is not repeated."""
        first = run_cases({"case": PASSING}, tmp_path / "first", tmp_path / "passes")
        monkeypatch.setattr(promtool, "_promtool", fail)

        assert first == run_cases({"case": PASSING}, tmp_path / "again", tmp_path / "passes")
        assert {"case": ""} == first

    def test_case_with_another_question_is_run(self, tmp_path: Path) -> None:
        """A case with another expected value, rule or series is run."""
        run_cases({"case": PASSING}, tmp_path / "first", tmp_path / "passes")
        wrong = replace(PASSING, queries=[QueryTest(0, "up", {"up": 2.0})])

        assert run_cases({"case": wrong}, tmp_path / "other", tmp_path / "passes")["case"]

    def test_failure_is_repeated(self, tmp_path: Path) -> None:
        """A case that failed is run again."""
        wrong = replace(PASSING, queries=[QueryTest(0, "up", {"up": 2.0})])
        run_cases({"case": wrong}, tmp_path / "first", tmp_path / "passes")

        assert run_cases({"case": wrong}, tmp_path / "again", tmp_path / "passes")["case"]


def test_pass_that_no_run_used_for_long_is_forgotten(tmp_path: Path) -> None:
    """A pass that no run used for 30 days is forgotten."""
    passes = KnownPasses(tmp_path, tool("promtool"))
    passes.add("used")
    passes.add("unused")
    os.utime(tmp_path / "unused", (0.0, time.time() - 31 * 86_400))

    passes.forget_unused()

    assert ["used"] == [one.name for one in tmp_path.iterdir()]

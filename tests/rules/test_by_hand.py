"""Cases written by hand for whole committed rule files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.rules.pinned_tools import RULES, tool

FOLDER = Path(__file__).parent
FILES = sorted(path.name for path in FOLDER.glob("*.test.yml"))


@pytest.mark.parametrize("file", FILES)
def test_committed_rules_pass_cases_of_file(file: str) -> None:
    """The committed rules pass the cases of the file."""
    done = subprocess.run(
        [tool("promtool"), "test", "rules", FOLDER / file],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr), done.stdout


def test_promtools_linter_accepts_all_committed_files_together() -> None:
    """Promtool's linter accepts all committed files together."""
    done = subprocess.run(
        [tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *RULES.glob("*.yml")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr

"""Progress: on a terminal of standard error, and after a moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.cli.terminal_output import shown

SLOW = """\
import time
from otel_meta.cli.console.progress import progress
with progress("Counting [red]sheep", total=2) as advance:
    advance()
    time.sleep({seconds})
print("done")
"""


def script(folder: Path, seconds: float) -> list[str | Path]:
    """Return the command of a program with progress."""
    path = folder / "slow.py"
    path.write_text(SLOW.format(seconds=seconds))
    return [sys.executable, path]


def test_terminal_shows_label_and_parts(environment: dict[str, str], tmp_path: Path) -> None:
    """A terminal shows the label and the parts that are done, also if the output is a file."""
    output = tmp_path / "output.txt"
    text = shown(script(tmp_path, 1.5), environment, tmp_path, output=output)

    assert "Counting [red]sheep" in text
    assert "1/2" in text
    assert "done\n" == output.read_text()


def test_short_task_shows_none(environment: dict[str, str], tmp_path: Path) -> None:
    """A short task shows no progress."""
    assert "Counting" not in shown(script(tmp_path, 0), environment, tmp_path)


def test_dumb_terminal_shows_none(environment: dict[str, str], tmp_path: Path) -> None:
    """A terminal that cannot write over a line shows no progress."""
    text = shown(script(tmp_path, 1), environment | {"TERM": "dumb"}, tmp_path)

    assert "done\r\n" == text


def test_pipe_has_none(environment: dict[str, str], tmp_path: Path) -> None:
    """Standard error without a terminal has no progress, also with FORCE_COLOR."""
    done = subprocess.run(
        script(tmp_path, 1),
        env=environment | {"FORCE_COLOR": "1"},
        capture_output=True,
        check=False,
        text=True,
    )

    assert ("done\n", "") == (done.stdout, done.stderr)

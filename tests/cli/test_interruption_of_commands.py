"""Ctrl-C: one line and exit code 130, whatever a command waits for."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.waiting import poll

if TYPE_CHECKING:
    from tests.cli.conftest import Write

SLOW = """\
import pathlib, time
pathlib.Path("waiting").touch()
time.sleep(60)
"""
OF_MODULE = ("show", "check", "generate", "backfill --prometheus http://x --out blocks")


@pytest.fixture(autouse=True)
def _signal_is_not_ignored() -> Iterator[None]:
    """SIGINT as on a terminal: a child inherits that it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Send SIGINT, and return the exit code, the output and the error output."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def start(
    program: Path, environment: dict[str, str], folder: Path, *arguments: str
) -> subprocess.Popen[str]:
    """Start the program."""
    return subprocess.Popen(
        [program, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("command", OF_MODULE)
def test_interrupted_import_is_one_line(
    program: Path, environment: dict[str, str], tmp_path: Path, write: Write, command: str
) -> None:
    """Ctrl-C while a module is imported is one line, and no file is written."""
    write("slow", SLOW)
    with start(program, environment, tmp_path, *command.split(), "--repo=slow:Slow") as process:
        assert poll((tmp_path / "waiting").exists)
        result = interrupted(process)

    assert (130, "", "otel-meta: interrupted\n") == result
    assert {"slow.py", "waiting", "__pycache__"} >= {path.name for path in tmp_path.iterdir()}


def test_interrupted_query_is_one_line(
    program: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """Ctrl-C while a server does not answer is one line."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        arguments = ("--prometheus", url, "--out", "blocks", "--promtool", "false")
        process = start(program, environment, tmp_path, "backfill", *arguments)
        with process, server.accept()[0]:
            result = interrupted(process)

    assert (130, "", "otel-meta: interrupted\n") == result

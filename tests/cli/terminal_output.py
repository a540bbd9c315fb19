"""A command on a terminal: what it shows there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

ON_TERMINAL = """\
import fcntl, os, struct, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, int(sys.argv[1]), 0, 0))
os.execv(sys.argv[2], sys.argv[2:])
"""


def shown(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    folder: Path,
    *,
    columns: int = 80,
    output: Path | None = None,
) -> str:
    """Return what a command writes on a terminal.

    Args:
        command: the program and its arguments.
        environment: its environment; TERM is xterm unless given.
        folder: its working directory.
        columns: the width of the terminal.
        output: a file for standard output, so that only standard error is the terminal.
    """
    screen, inside = os.openpty()
    with (output or Path(os.devnull)).open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", ON_TERMINAL, str(columns), *command],
            cwd=folder,
            env={"TERM": "xterm", **environment},
            stdin=inside,
            stdout=file if output else inside,
            stderr=inside,
            start_new_session=True,
        )
    os.close(inside)
    text = b""
    with suppress(OSError):  # nobody writes any more
        while part := os.read(screen, 1 << 16):
            text += part
    os.close(screen)
    process.wait(60)
    return text.decode()

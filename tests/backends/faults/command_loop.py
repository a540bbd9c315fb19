"""The main loop of a process with commands on standard input, one command a line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping


def run_commands(commands: Mapping[str, Callable[[int], None]]) -> None:
    """Run each command of standard input, such as ``work 100``, and print ``done`` after it."""
    for line in sys.stdin:
        name, count = line.split()
        commands[name](int(count))
        print("done", flush=True)  # noqa: T201  # the parent process reads it

"""Standard output that may be closed, full, a broken pipe, or in another encoding."""

from __future__ import annotations

import io
import os
import sys


def replace_unknown_characters() -> None:
    """Have characters replaced that the encoding of standard output lacks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def write(text: str) -> None:
    """Print the text of a result; a reader that has gone is no error."""
    if sys.stdout is None:  # closed by the shell
        return
    try:
        print(text, end="\n" if text else "", flush=True)
    except BrokenPipeError:
        discard_output()


def discard_unwritten() -> None:
    """Discard output that cannot be written, on a full disk for example."""
    if sys.stdout is None:  # closed by the shell
        return
    try:
        sys.stdout.flush()
    except OSError:
        discard_output()


def discard_output() -> None:
    """Redirect standard output, because Python flushes the output once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

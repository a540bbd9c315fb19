"""Standard streams that may be closed, full, a broken pipe, or in another encoding."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO


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
        discard(sys.stdout)


def write_error(line: str) -> None:
    """Print a line on standard error; without a reader, the exit code alone tells of the error."""
    if sys.stderr is None:  # closed by the shell
        return
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        discard(sys.stderr)


def discard_unwritten() -> None:
    """Discard output that cannot be written, on a full disk for example."""
    if sys.stdout is None:  # closed by the shell
        return
    try:
        sys.stdout.flush()
    except OSError:
        discard(sys.stdout)


def discard(stream: TextIO) -> None:
    """Redirect a stream to nowhere, because Python flushes the stream once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

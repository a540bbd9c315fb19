"""The help of Typer in panels, for the width, the colours and the encoding of standard output."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from contextlib import redirect_stdout

from .rich_console import output


def captured_help(print_help: Callable[[], str]) -> str:
    """Return the help that Typer prints, so that the program prints it as any other text.

    Typer prints through a console of its own, which a closed pipe ends with exit code 1, and which
    takes a log of GitHub for a terminal.
    """
    from typer import rich_utils  # noqa: PLC0415 - for the help only

    console = output()
    rich_utils.FORCE_TERMINAL = console.is_terminal
    rich_utils.MAX_WIDTH = console.width
    encoding = getattr(sys.stdout, "encoding", "utf-8")
    text = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace")
    with redirect_stdout(text):
        rest = print_help()
    text.seek(0)
    return (text.read() + rest).rstrip("\n")

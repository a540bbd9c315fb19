"""A page as the engineer on call gets it, and the commands that lead to the cause."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import wrap
from typing import Final

from .webhook_receiver import Notification

_WIDTH: Final = 100
_INDENT: Final = "        "


def page_text(page: Notification, commands: Iterable[str]) -> str:
    """Return the text of a page, its link, and commands to copy."""
    return "\n".join((*_lines(page), f"{_INDENT}Copy to a shell:", *map(_command, commands)))


def otel_meta() -> str:
    """Return how a shell on this machine starts this program."""
    found = shutil.which("otel-meta")
    if found and Path(found) == Path(sys.executable).with_name("otel-meta"):
        return "otel-meta"
    return f"{shlex.quote(sys.executable)} -m otel_meta"


def _lines(page: Notification) -> Iterator[str]:
    texts = page.annotations
    yield f"{_INDENT}{texts['summary']}"
    yield from wrap(
        texts["description"],
        _WIDTH,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield f"{_INDENT}Runbook: {texts['runbook_url']}"


def _command(command: str) -> str:
    return f"{_INDENT}  {command}"

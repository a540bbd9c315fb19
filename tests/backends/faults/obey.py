"""A process that does as it is told, line by line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping


def obey(deeds: Mapping[str, Callable[[int], None]]) -> None:
    """Do what comes in on standard input, such as ``work 100``, and say when it is done."""
    for line in sys.stdin:
        deed, many = line.split()
        deeds[deed](int(many))
        print("done", flush=True)  # noqa: T201  # whoever told it waits for that

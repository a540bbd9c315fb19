"""The place in the application that called a function of the package."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Final

_PACKAGE: Final = str(Path(__file__).parents[2])

COMPILED: Final = "<otel_meta "
"""The beginning of the file name of functions that the package compiles."""


def call_site() -> str:
    """Return ``file:line`` of the innermost function outside the package; "" if there is none."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith((_PACKAGE, COMPILED)):
        frame = frame.f_back
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"

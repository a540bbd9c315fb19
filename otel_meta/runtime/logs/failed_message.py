"""A message whose arguments do not fit, or cannot be converted to text: nothing of it is lost."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

from otel_meta.runtime.recording.faults import Faults

_PACKAGES: Final = tuple(
    f"{Path(file).parent}{os.sep}"
    for name in ("otel_meta", "structlog", "logging")
    if (file := getattr(__import__(name), "__file__", None))
)


class MessageFault(NamedTuple):
    """The parts of the message, the error, and where the application logged it."""

    template: object
    arguments: Iterable[Any]
    error: Exception
    site: str

    def fields(self) -> dict[str, Any]:
        """Return the fields of the line besides the template."""
        return {
            "log_arguments": list(self.arguments),
            "log_error": repr(self.error),
            "log_site": self.site,
        }

    def report(self, faults: Faults) -> None:
        """Count the fault, and log the first."""
        detail = f"{self.site}: a message and its arguments do not fit together: {self.error!r}"
        faults.report("log record", type(self.error).__name__, detail)


def call_site() -> str:
    """Return file and line of the innermost function outside of the logging packages."""
    frame: FrameType | None = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGES):
        frame = frame.f_back
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"

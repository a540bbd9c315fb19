"""Errors of the operating system, apart from those that a signal handler raises.

A handler can raise any exception inside the code of this package. The exception belongs to the
application. `TimeoutError` is usual there, and an `OSError`, but only the system sets its `errno`.
"""

from __future__ import annotations

from types import TracebackType


def is_system_error(error: BaseException | None) -> bool:
    """Return True for an error of the operating system."""
    return isinstance(error, OSError) and error.errno is not None


class SystemErrorsSuppressed:
    """A context manager that suppresses errors of the operating system."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> bool:
        return is_system_error(error)

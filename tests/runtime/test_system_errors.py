from __future__ import annotations

import pytest

from otel_meta.runtime.system_errors import SystemErrorsSuppressed


class TestSystemErrorsSuppressed:
    def test_error_of_the_system_is_suppressed(self) -> None:
        """An error of the operating system is suppressed."""
        with SystemErrorsSuppressed():
            raise OSError(28, "No space left on device")

    @pytest.mark.parametrize("error", [TimeoutError("a time limit"), KeyboardInterrupt()])
    def test_exception_of_signal_handler_is_raised(self, error: BaseException) -> None:
        """An exception without an error number, as a signal handler raises, is raised."""
        with pytest.raises(type(error)), SystemErrorsSuppressed():
            raise error

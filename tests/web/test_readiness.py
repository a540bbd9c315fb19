from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from otel_meta.runtime.recording.faults import Faults
from otel_meta.web.readiness import Readiness


async def yes() -> bool:
    """Pass."""
    return True


async def no() -> bool:
    """Fail."""
    return False


async def fail() -> bool:
    """Raise."""
    raise OSError("no database")


def fail_at_once() -> bool:
    """Something broke."""
    raise OSError("no database")


def ready(check: Any, faults: Faults | None = None, *messages: str) -> bool:
    """Return the readiness after these messages."""
    readiness = Readiness(check, faults or Faults())
    for message in messages:
        readiness.on_lifespan_message(message)
    return asyncio.run(readiness.ready())


class TestCheck:
    @pytest.mark.parametrize(
        ("check", "expected"),
        [
            (None, True),
            (lambda: True, True),
            (lambda: False, False),
            (lambda: None, False),
            (yes, True),
            (no, False),
        ],
    )
    def test_check_decides_as_function_or_as_coroutine_function(
        self, check: Any, expected: bool
    ) -> None:
        """The check decides, as a function or as a coroutine function."""
        assert expected is ready(check)

    @pytest.mark.parametrize("check", [fail, fail_at_once])
    def test_check_that_raises_makes_application_not_ready_and_is_counted(self, check: Any) -> None:
        """A check that raises makes the application not ready, and is counted."""
        faults = Faults()

        assert not ready(check, faults)
        assert [(("readiness check", "OSError"), 1.0)] == [
            (cell.labels, cell.value) for cell in faults.family.cells()
        ]

    def test_plain_function_does_not_block_event_loop(self) -> None:
        """A plain function does not block the event loop, nor wait for the default executor."""
        loops_on: list[bool] = []
        proceed = threading.Event()
        readiness = Readiness(lambda: proceed.wait(20), Faults())

        async def main() -> bool:
            asking = asyncio.ensure_future(readiness.ready())
            await asyncio.sleep(0)
            loops_on.append(not asking.done())
            proceed.set()
            return await asking

        assert asyncio.run(main())
        assert [True] == loops_on

    @pytest.mark.parametrize("check", [lambda: threading.Event().wait(1), lambda: asyncio.sleep(1)])
    def test_late_check_makes_application_not_ready_and_is_counted(self, check: Any) -> None:
        """A check that is late makes the application not ready, and is counted."""
        faults = Faults()
        readiness = Readiness(check, faults, timeout=0.2)  # a busy machine starts threads late

        assert not asyncio.run(readiness.ready())
        assert [("readiness check", "TimeoutError")] == [
            cell.labels for cell in faults.family.cells()
        ]

    def test_object_with_coroutine_method_runs_on_event_loop(self) -> None:
        """An object with a coroutine ``__call__`` runs on the event loop."""

        class Check:
            async def __call__(self) -> bool:
                return bool(asyncio.get_running_loop())

        assert ready(Check())


class TestLifespan:
    @pytest.mark.parametrize(
        ("messages", "expected"),
        [
            ((), True),
            (("lifespan.startup",), False),
            (("lifespan.startup", "lifespan.startup.complete"), True),
            (("lifespan.startup", "lifespan.startup.failed"), False),
            (("lifespan.startup", "lifespan.startup.complete", "lifespan.shutdown"), False),
            (("lifespan.startup", "something.else"), False),
        ],
    )
    def test_readiness_lasts_from_end_of_startup_to_beginning_of_shutdown(
        self, messages: tuple[str, ...], expected: bool
    ) -> None:
        """Readiness lasts from the end of startup to the beginning of shutdown."""
        assert expected is ready(None, None, *messages)

    def test_check_is_not_called_during_startup(self) -> None:
        """The check is not called during startup."""
        calls: list[bool] = []

        assert not ready(lambda: calls.append(True), None, "lifespan.startup")
        assert [] == calls

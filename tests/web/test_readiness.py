from __future__ import annotations

import asyncio
from typing import Any

import pytest

from otel_meta.runtime.recording.faults import Faults
from otel_meta.web.readiness import Readiness


async def yes() -> bool:
    """All is well."""
    return True


async def no() -> bool:
    """Something is missing."""
    return False


async def fail() -> bool:
    """Something broke."""
    raise OSError("no database")


def fail_at_once() -> bool:
    """Something broke."""
    raise OSError("no database")


def ready(check: Any, faults: Faults | None = None, *heard: str) -> bool:
    """Whether it is ready, after these messages."""
    readiness = Readiness(check, faults or Faults())
    for message in heard:
        readiness.heard(message)
    return asyncio.run(readiness.ready())


class TestCheck:
    @pytest.mark.parametrize(
        ("check", "answer"),
        [
            (None, True),
            (lambda: True, True),
            (lambda: False, False),
            (lambda: None, False),
            (yes, True),
            (no, False),
        ],
    )
    def test_asked(self, check: Any, answer: bool) -> None:
        """The application's own check decides, whether it is a coroutine function or not."""
        assert answer is ready(check)

    @pytest.mark.parametrize("check", [fail, fail_at_once])
    def test_raises(self, check: Any) -> None:
        """A check that raises says no, and is counted."""
        faults = Faults()

        assert not ready(check, faults)
        assert [(("readiness check", "OSError"), 1.0)] == [
            (cell.labels, cell.value) for cell in faults.family.cells()
        ]


class TestLifespan:
    @pytest.mark.parametrize(
        ("heard", "answer"),
        [
            ((), True),
            (("lifespan.startup",), False),
            (("lifespan.startup", "lifespan.startup.complete"), True),
            (("lifespan.startup", "lifespan.startup.failed"), False),
            (("lifespan.startup", "lifespan.startup.complete", "lifespan.shutdown"), False),
            (("lifespan.startup", "something.else"), False),
        ],
    )
    def test_followed(self, heard: tuple[str, ...], answer: bool) -> None:
        """It is ready between the end of its start and the begin of its stop."""
        assert answer is ready(None, None, *heard)

    def test_not_asked(self) -> None:
        """While it starts, the check is not asked."""
        asked: list[bool] = []

        assert not ready(lambda: asked.append(True), None, "lifespan.startup")
        assert [] == asked

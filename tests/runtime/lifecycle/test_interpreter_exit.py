from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import TYPE_CHECKING

from otel_meta.runtime.lifecycle.interpreter_exit import call_at_exit, cancel_at_exit

if TYPE_CHECKING:
    from tests.conftest import Run


class TestExit:
    def test_functions_are_called_after_those_of_application_and_latest_first(
        self, script: Callable[..., Run]
    ) -> None:
        """Functions are called after the handlers of the application, the latest first."""
        run = script(
            "import atexit\n"
            "from otel_meta.runtime.lifecycle.interpreter_exit import *\n"
            "from otel_meta.runtime.lifecycle import interpreter_exit as exits\n"
            "say = lambda word: lambda: print(word)\n"
            "cancelled = say('cancelled')\n"
            "exits.call_at_exit(say('first'))\n"
            "exits.call_at_exit(cancelled)\n"
            "exits.call_at_exit(say('second'))\n"
            "exits.cancel_at_exit(cancelled)\n"
            "atexit.register(say('application'))\n"
        )

        assert ["application", "second", "first"] == run.stdout.split()

    def test_cancelled_function_leaves_nothing_behind(self) -> None:
        """A cancelled function leaves no entry in atexit."""
        before = atexit._ncallbacks()
        for _ in range(10):
            call_at_exit(self.test_cancelled_function_leaves_nothing_behind)
            cancel_at_exit(self.test_cancelled_function_leaves_nothing_behind)

        assert before == atexit._ncallbacks()

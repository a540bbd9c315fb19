from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from rich.console import Console

from otel_meta.cli.slo.found_statuses import FoundStatuses
from otel_meta.cli.slo.status_watch import Watch
from otel_meta.errors import BackendError
from tests.cli.slo.status_rows import status_row

BOTH = FoundStatuses(rows=(status_row("storefront"), status_row("payments")))
ONE = FoundStatuses(rows=(status_row("storefront"),), problems=("http://payments: is down",))
DOWN = BackendError("http://prometheus: cannot be reached")


class Screens:
    """The successive views of a watch, each ten seconds after the last."""

    def __init__(self, *answers: FoundStatuses | BackendError) -> None:
        self._answers = iter(answers)
        self._now = 0.0
        self._watch = Watch(self._answer, (), 10.0, clock=lambda: self._now)

    def all(self) -> Sequence[list[str]]:
        """Return the lines of every view."""
        views = []
        while True:
            try:
                views.append(self._view())
            except StopIteration:
                return views

    def _view(self) -> list[str]:
        console = Console(file=io.StringIO(), width=400)
        console.print(self._watch.view())
        self._now += 10
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue().splitlines()

    def _answer(self) -> FoundStatuses:
        answer = next(self._answers)
        if isinstance(answer, BackendError):
            raise answer
        return answer


def services(lines: list[str]) -> set[str]:
    """Return the services in a view."""
    return {line.split()[1] for line in lines if line.startswith("titan-")}


class TestWatch:
    def test_error_is_shown_with_the_last_statuses_and_their_age(self) -> None:
        """While the server is down, the last statuses are shown with their age and the error."""
        good, first, second = Screens(BOTH, DOWN, DOWN).all()

        assert good[0].startswith("data 0 s old")
        assert ["data 10 s old", "data 20 s old"] == [v[0].split(";")[0] for v in (first, second)]
        assert [str(DOWN)] * 2 == [view[1] for view in (first, second)]
        assert {"storefront", "payments"} == services(second)

    def test_service_that_does_not_answer_keeps_its_last_statuses(self) -> None:
        """A service that does not answer keeps its last statuses; the others are new."""
        _, partly, whole = Screens(BOTH, ONE, BOTH).all()

        assert {"storefront", "payments"} == services(partly)
        assert ("data 10 s old", *ONE.problems) == (partly[0].split(";")[0], partly[1])
        assert whole[0].startswith("data 0 s old")
        assert ONE.problems[0] not in whole

    @pytest.mark.parametrize("answer", [DOWN, FoundStatuses(problems=("x: is down",))])
    def test_first_error_shows_no_status(self, answer: FoundStatuses | BackendError) -> None:
        """An error at the start shows the error and no status."""
        (view,) = Screens(answer).all()

        assert set() == services(view)
        assert any("cannot be reached" in line or "x: is down" in line for line in view)

from __future__ import annotations

import time
from threading import Event, Thread
from weakref import WeakSet

import pytest

from otel_meta.runtime.export import attempts
from otel_meta.runtime.export.attempts import (
    Attempt,
    DeliveryError,
    Exports,
    exports_until,
    wait_for_exports,
)

BUSY = DeliveryError("busy", is_transient=True, pause=0)


class Answers:
    """Answers requests by errors, then by success, and keeps the time-outs of the requests."""

    def __init__(self, *errors: DeliveryError) -> None:
        self._errors = list(errors)
        self.timeouts: list[float] = []

    def __call__(self, timeout: float) -> str:
        """Answer a request."""
        self.timeouts.append(timeout)
        if self._errors:
            raise self._errors.pop(0)
        return "accepted"


class TestDeliver:
    def test_transient_error_is_followed_by_request_within_timeout(self) -> None:
        """A transient error is followed by another request, within the same timeout."""
        answers = Answers(BUSY, BUSY)

        assert "accepted" == Attempt("traces", 1).deliver(answers, 20)
        assert sorted(answers.timeouts, reverse=True) == answers.timeouts
        assert 3 == len(answers.timeouts)

    @pytest.mark.parametrize(
        "error",
        [
            DeliveryError("refused"),
            DeliveryError("busy for long", is_transient=True, pause=60),
        ],
    )
    def test_other_error_ends_attempt_with_cause(self, error: DeliveryError) -> None:
        """An error that is permanent, or demands too long a pause, ends an attempt."""
        attempt, answers = Attempt("traces", 1), Answers(error)
        with pytest.raises(DeliveryError):
            attempt.deliver(answers, 20)

        assert (str(error), 1) == (attempt.cause, len(answers.timeouts))

    def test_cause_is_that_of_last_request(self) -> None:
        """The cause is that of the last request."""
        attempt = Attempt("traces", 1)
        with pytest.raises(DeliveryError, match="refused"):
            attempt.deliver(Answers(BUSY, DeliveryError("refused")), 20)

        assert "refused" == attempt.cause

    @pytest.mark.parametrize("is_unreachable", [True, False])
    def test_stop_ends_requests_to_receiver_that_is_unreachable(self, is_unreachable: bool) -> None:
        """When the process stops, requests end if the receiver is not reachable."""
        error = DeliveryError("x", is_transient=True, is_unreachable=is_unreachable, pause=0)
        attempt, answers = Attempt("traces", 1), Answers(error)
        attempt.exports.stop(20)
        try:
            attempt.deliver(answers, 20)
        except DeliveryError:
            assert 1 == len(answers.timeouts)
        else:
            assert 2 == len(answers.timeouts)
        assert is_unreachable is (len(answers.timeouts) == 1)

    def test_request_ends_when_process_has_to_stop(self) -> None:
        """The timeout of a request is at most the time until the process has to stop."""
        attempt, answers = Attempt("traces", 1), Answers()
        attempt.exports.stop(5)
        attempt.deliver(answers, 20)

        assert 0 < answers.timeouts[0] <= 5

    def test_request_ends_at_deadline_of_thread(self) -> None:
        """The timeout of a request is at most the time until the deadline of the thread."""
        attempt, answers = Attempt("traces", 1), Answers()
        with exports_until(time.monotonic() + 5):
            attempt.deliver(answers, 20)

        assert 0 < answers.timeouts[0] <= 5

    def test_without_time_nothing_is_sent(self) -> None:
        """Without time nothing is sent, and the cause says so."""
        attempt, answers = Attempt("traces", 1), Answers()
        attempt.exports.stop(0)
        with pytest.raises(DeliveryError, match="no time was left"):
            attempt.deliver(answers, 20)

        assert [] == answers.timeouts


class TestExports:
    def test_stop_ends_pause(self) -> None:
        """A stop ends a pause that is under way."""
        exports, paused = Exports(), Event()

        def pause() -> None:
            paused.set()
            exports.pause(60)

        thread = Thread(target=pause)
        thread.start()
        paused.wait(20)
        exports.stop()
        thread.join(20)

        assert not thread.is_alive()

    def test_pause_after_stop_lasts(self) -> None:
        """A pause after a stop lasts, so that retries do not follow without a pause."""
        exports = Exports()
        exports.stop()
        began = time.monotonic()
        exports.pause(0.05)

        assert time.monotonic() - began >= 0.05

    def test_second_stop_sets_new_deadline(self) -> None:
        """A second stop sets a new deadline."""
        exports = Exports()
        exports.stop()
        before = exports.deadline
        exports.stop(20)

        assert (None, True) == (before, exports.deadline is not None)


class TestWaitForExports:
    def test_wait_ends_with_last_export(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The wait ends with the last export, or at the deadline."""
        monkeypatch.setattr(attempts, "_all_exports", WeakSet[Exports]())
        exports = Exports()
        attempt = Attempt("traces", 1, exports=exports)
        exports.under_way.append(attempt)
        late = wait_for_exports(time.monotonic() + 0.02)
        exports.under_way.remove(attempt)

        assert (False, True) == (late, wait_for_exports(time.monotonic() + 20))

from __future__ import annotations

import logging

import pytest

from otel_meta.runtime.recording.faults import Faults


class Unprintable:
    """An object without a text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


def counted(faults: Faults) -> dict[tuple[str, ...], float]:
    """Return the number of faults by source and reason."""
    return {cell.labels: cell.value for cell in faults.family.cells()}


class TestReport:
    def test_each_fault_is_counted_by_source_and_reason(self) -> None:
        """Each fault is counted by source and reason."""
        faults = Faults()
        faults.report("a", "value", "x")
        faults.report("a", "value", "y")
        faults.report("b", "labels", "z")

        assert {("a", "value"): 2.0, ("b", "labels"): 1.0} == counted(faults)
        assert 3.0 == faults.count()

    def test_first_fault_of_kind_is_logged_with_its_detail(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The first fault of a kind is logged with its detail and the name of the counter."""
        faults = Faults()
        with caplog.at_level(logging.WARNING, "otel_meta"):
            faults.report("a", "value", "nan is no number")
            faults.report("a", "value", "inf is no number")

        (line,) = caplog.messages
        assert (
            "a: nan is no number (value); more of these are counted in otel_meta_faults_total, "
            "not logged"
        ) == line

    def test_fault_is_counted_even_if_its_detail_has_no_text(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A fault is counted even if its detail has no text."""
        monkeypatch.setattr(logging, "raiseExceptions", False)
        monkeypatch.setattr(logging.getLogger("otel_meta"), "propagate", False)
        faults = Faults()
        faults.report("a", "value", Unprintable())

        assert {("a", "value"): 1.0} == counted(faults)


class TestCountOnly:
    def test_fault_can_be_counted_without_log_line(self, caplog: pytest.LogCaptureFixture) -> None:
        """A fault can be counted without a log line."""
        faults = Faults()
        faults.count_only("a", "value")

        assert ({("a", "value"): 1.0}, []) == (counted(faults), caplog.messages)

    def test_number_of_faults_begins_at_zero(self) -> None:
        """The number of faults begins at zero."""
        assert 0 == Faults().count()

"""docs/reliability.md tells of exactly what is tested."""

from __future__ import annotations

import os

import pytest

from otel_meta.testing.pinned_tools import find
from tests.backends import report
from tests.backends.faults.test_faults import CONTROLS, PROMISES
from tests.backends.parity.test_series import DIFFERENCES
from tests.rules.pinned_tools import tool

unless_written = pytest.mark.skipif(
    os.environ.get("RELIABILITY") == "write", reason="this run writes the page, at its end"
)


@unless_written
def test_faults() -> None:
    """The page has a row for each fault and each control, and no other."""
    table = report.written("faults").splitlines()[2:]
    told = [row.split(" | ")[0].removeprefix("| ") for row in table]

    assert sorted(case.name for case in [*PROMISES, *CONTROLS]) == sorted(told)


@unless_written
def test_parity() -> None:
    """The page lists each difference between the ways, and no other."""
    expected = {f"- {where}: {what}" for what, (where, _) in DIFFERENCES.items()}

    assert expected == set(report.written("parity").splitlines())


def test_pinned() -> None:
    """The servers that run here are the ones that tools/ pins."""
    names = ("prometheus", "alertmanager", "otelcol", "jaeger")

    assert [tool(name) for name in names] == [find(name) for name in names]

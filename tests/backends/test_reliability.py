"""docs/reliability.md agrees with the tests of faults and of export paths."""

from __future__ import annotations

import os

import pytest

from otel_meta.testing.pinned_tools import find
from tests.backends.faults.test_loss_accounting import CONTROLS, FAULTS
from tests.backends.loss_accounting import markdown_table
from tests.backends.parity.test_series_parity import DIFFERENCES
from tests.backends.reliability_page import fault_results, published_section
from tests.rules.pinned_tools import tool

unless_rewritten = pytest.mark.skipif(
    os.environ.get("RELIABILITY") == "write", reason="this run rewrites the page at its end"
)


@unless_rewritten
def test_page_has_a_row_for_each_fault() -> None:
    """The page has the columns of the table, and a row for each fault and control."""
    table = published_section("faults").splitlines()
    faults = [row.split(" | ")[0].removeprefix("| ") for row in table[2:]]

    assert markdown_table([]).splitlines() == table[:2]
    assert sorted(case.name for case in [*FAULTS, *CONTROLS]) == sorted(faults)


@unless_rewritten
def test_observations_of_this_run_are_on_the_page() -> None:
    """The page has the observations of all faults in this session."""
    rows = [row.strip("| ").split(" | ") for row in published_section("faults").splitlines()]
    on_page = {row[0]: row[-1] for row in rows}
    seen = {name: result.observation for name, result in fault_results.items()}

    assert seen == {name: on_page[name] for name in seen}


@unless_rewritten
def test_page_lists_each_difference_between_paths() -> None:
    """The page lists each difference between export paths, and no other difference."""
    expected = {f"- {path}: {text}" for text, (path, _) in DIFFERENCES.items()}

    assert expected == set(published_section("parity").splitlines())


def test_servers_have_the_pinned_versions() -> None:
    """The tests run the server versions that tools/ pins."""
    names = ("prometheus", "alertmanager", "otelcol", "jaeger")

    assert [tool(name) for name in names] == [find(name) for name in names]

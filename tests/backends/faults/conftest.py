"""Faults wait more than they work, so that all that were asked for are staged side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.backends import report
from tests.backends.faults.stage import CASES, Case, Stage
from tests.backends.ledger import Row

AT_ONCE = 4


@pytest.fixture(scope="session")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Future[Row]]:
    """What came of each case that this session asks for."""
    asked = {
        item.callspec.params["case"].name
        for item in request.session.items
        if "case" in getattr(getattr(item, "callspec", None), "params", {})
    }
    report.order.extend(case.name for case in CASES)
    folder = tmp_path_factory.mktemp("faults")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {
            case.name: pool.submit(_staged, case, folder) for case in CASES if case.name in asked
        }


def _staged(case: Case, folder: Path) -> Row:
    with Stage(folder / re.sub(r"\W+", "-", case.name)) as stage:
        return case.run(stage)


@pytest.fixture
def row(case: Case, outcomes: Mapping[str, Future[Row]]) -> Row:
    """What came of this test's case; its error, if it failed."""
    report.rows[case.name] = outcomes[case.name].result()
    return report.rows[case.name]

"""Fixtures that run the cases of all selected tests at once, since promtool starts slowly."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.rules.promtool import Case, run_cases

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))  # for alert_quality

Outcome = Callable[[str], str]


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the error of each case in this session by test id; empty for a case that passes."""
    wanted: dict[str, Case] = {}
    found: dict[str, str] = {}
    for item in request.session.items:
        given: Mapping[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
        if "outcomes" in getattr(item, "fixturenames", ()):
            make: Callable[[], Case] = given["make"]
            try:
                wanted[item.nodeid] = make()
            except AssertionError as error:  # one case that cannot be built fails its own test
                found[item.nodeid] = str(error) or "the case contradicts itself"
    return found | run_cases(wanted, tmp_path_factory.mktemp("promtool") / "cases")


@pytest.fixture
def wrong(request: pytest.FixtureRequest, outcomes: Mapping[str, str]) -> str:
    """Return the error of this test's case; empty if the case passes."""
    return outcomes[request.node.nodeid]

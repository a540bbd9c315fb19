"""Runs fault cases side by side, since most of their time is waiting."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.backends import reliability_page
from tests.backends.faults.fault_case import CASES, FaultCase, FaultSetup
from tests.backends.loss_accounting import FaultResult

_CONCURRENT_CASES = 6


@pytest.fixture(scope="session")
def results(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Future[FaultResult]]:
    """The results of all cases in this session, by name."""
    functions = [item for item in request.session.items if isinstance(item, pytest.Function)]
    parameters = [f.callspec.params.get("case") for f in functions if hasattr(f, "callspec")]
    selected = {case.name for case in parameters if isinstance(case, FaultCase)}
    reliability_page.fault_names.extend(case.name for case in CASES)
    folder = tmp_path_factory.mktemp("faults")
    with ThreadPoolExecutor(_CONCURRENT_CASES) as pool:
        return {
            case.name: pool.submit(_run, case, folder) for case in CASES if case.name in selected
        }


def _run(case: FaultCase, folder: Path) -> FaultResult:
    with FaultSetup(folder / re.sub(r"\W+", "-", case.name)) as setup:
        return case.run(setup)


@pytest.fixture
def result(case: FaultCase, results: Mapping[str, Future[FaultResult]]) -> FaultResult:
    """The result of a test's case; a failed case raises its error."""
    reliability_page.fault_results[case.name] = results[case.name].result()
    return reliability_page.fault_results[case.name]

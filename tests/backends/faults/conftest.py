"""Keeps the results of fault cases for the table in docs/reliability.md."""

from __future__ import annotations

import pytest

from tests.backends import reliability_page
from tests.backends.faults.fault_case import CASES, FaultCase
from tests.backends.loss_accounting import FaultResult

for _source in ("backend", "monitoring", "service", "sidecar"):  # their assertions show the result
    pytest.register_assert_rewrite(f"tests.backends.faults.{_source}_faults")


@pytest.fixture
def result(case: FaultCase, background_result: FaultResult) -> FaultResult:
    """The result of a test's case, which runs from the start of the session."""
    reliability_page.fault_names[:] = [each.name for each in CASES]
    reliability_page.fault_results[case.name] = background_result
    return background_result

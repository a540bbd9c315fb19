"""Measures over days, run by Prometheus' rule engine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.rules import measure_cases
from tests.rules.promtool import Case


@pytest.mark.parametrize("make", measure_cases.CASES.values(), ids=measure_cases.CASES)
def test_measure_over_days_counts_living_processes_once(
    make: Callable[[], Case], wrong: str
) -> None:
    """A measure over days counts living processes, each event once, and replicas as one."""
    assert "" == wrong

"""Real faults, with the accounting of all spans and events during each fault."""

from __future__ import annotations

import pytest

# Each module declares its cases.
from tests.backends.faults import backend_faults, monitoring_faults, service_faults, sidecar_faults
from tests.backends.faults.fault_case import CASES, FaultCase
from tests.backends.loss_accounting import FaultResult

__all__ = ["backend_faults", "monitoring_faults", "service_faults", "sidecar_faults"]

FAULTS = [case for case in CASES if not case.is_control]
CONTROLS = [case for case in CASES if case.is_control]


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
def test_nothing_is_lost_silently(case: FaultCase, result: FaultResult) -> None:
    """All spans and events during a fault are stored, or counted as dropped."""
    assert result.sent == result.stored + result.dropped


@pytest.mark.parametrize("case", CONTROLS, ids=lambda case: case.name)
def test_control_without_protection_loses_something(case: FaultCase, result: FaultResult) -> None:
    """A fault without the protection loses something, so the accounting notices losses."""
    assert result.stored < result.sent

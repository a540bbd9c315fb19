"""Real faults, with the accounting of all spans and events during each fault."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

# Each module declares its cases.
from tests.backends.faults import backend_faults, monitoring_faults, service_faults, sidecar_faults
from tests.backends.faults.fault_case import CASES, FaultCase, FaultSetup
from tests.backends.loss_accounting import FaultResult

__all__ = ["backend_faults", "monitoring_faults", "service_faults", "sidecar_faults"]


def run_case(case: FaultCase) -> FaultResult:
    """Run a case in a folder of its own."""
    with (
        TemporaryDirectory(prefix="otel-meta-fault-") as folder,
        FaultSetup(Path(folder) / "case") as setup,
    ):
        return case.run(setup)


def in_background(cases: Iterable[FaultCase]) -> list[Any]:
    """Return the parameters of a test of each case, whose result comes from a background run."""
    return [
        pytest.param(each, id=each.name, marks=pytest.mark.background.with_args(run_case, each))
        for each in cases
    ]


FAULTS = [case for case in CASES if not case.is_control]
CONTROLS = [case for case in CASES if case.is_control]


@pytest.mark.parametrize("case", in_background(FAULTS))
def test_nothing_is_lost_silently(case: FaultCase, result: FaultResult) -> None:
    """All spans and events during a fault are stored, or counted as dropped."""
    assert result.sent == result.stored + result.dropped


@pytest.mark.parametrize("case", in_background(CONTROLS))
def test_control_without_protection_loses_something(case: FaultCase, result: FaultResult) -> None:
    """A fault without the protection loses something, so the accounting notices losses."""
    assert result.stored < result.sent

"""Each fault for real, and the account of what was sent through it."""

from __future__ import annotations

import pytest

# Each declares its cases.
from tests.backends.faults import backend, rulers, service, sidecar
from tests.backends.faults.stage import CASES, Case
from tests.backends.ledger import Row

__all__ = ["backend", "rulers", "service", "sidecar"]

PROMISES = [case for case in CASES if not case.is_control]
CONTROLS = [case for case in CASES if case.is_control]


@pytest.mark.parametrize("case", PROMISES, ids=lambda case: case.name)
def test_nothing_is_lost_silently(case: Case, row: Row) -> None:
    """What was sent through a fault is stored, or counted as dropped."""
    assert row.sent == row.stored + row.dropped


@pytest.mark.parametrize("case", CONTROLS, ids=lambda case: case.name)
def test_a_loss_would_be_noticed(case: Case, row: Row) -> None:
    """Without what protects from it, the same fault loses something."""
    assert row.stored < row.sent

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from otel_meta.render.rules.rule import AlertRule, Record


def test_defaults() -> None:
    """A rule has no labels and waits for nothing unless it says so."""
    assert {} == Record("a:b:c", "1").labels
    assert (None, None) == (
        AlertRule("A", "1", {}, {}).for_,
        AlertRule("A", "1", {}, {}).keep_firing,
    )


def test_frozen() -> None:
    """A rule does not change once made."""
    with pytest.raises(FrozenInstanceError):
        Record("a:b:c", "1").expr = "2"  # type: ignore[misc]  # the refusal is under test

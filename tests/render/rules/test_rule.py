from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from otel_meta.render.rules.rule import AlertRule, Record


def test_rule_has_no_labels_and_no_duration_by_default() -> None:
    """A rule has no labels and no duration by default."""
    assert {} == Record("a:b:c", "1").labels
    assert (None, None) == (
        AlertRule("A", "1", {}, {}).for_,
        AlertRule("A", "1", {}, {}).keep_firing,
    )


def test_rule_is_immutable() -> None:
    """A rule is immutable."""
    with pytest.raises(FrozenInstanceError):
        Record("a:b:c", "1").expr = "2"  # type: ignore[misc]  # the refusal is under test

"""Colours by value, and words for values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ._sdk import dashboard, models
from .panel import Step, Word


def thresholds(steps: Iterable[Step]) -> dashboard.ThresholdsConfig:
    """Colours from each step's value on."""
    found = [models.Threshold(value=step.value, color=step.color) for step in steps]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(found)


def value_mappings(words: Mapping[str, Word]) -> list[models.ValueMapping]:
    """Words instead of numbers."""
    options = {
        value: models.ValueMappingResult(text=word.text, color=word.color, index=index)
        for index, (value, word) in enumerate(words.items())
    }
    return [models.ValueMap(options=options)]

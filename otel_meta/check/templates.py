"""Checks of the labels in the texts of an alert."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from otel_meta.model.arguments import nearest_name

from .finding import Diagnostic
from .promql.series_type import Vector, label_names, may_have
from .rule_files import Rule

_SHOWN: Final = re.compile(r"(?:\$labels|\.Labels)\.([A-Za-z_][A-Za-z0-9_]*)")


def template_diagnostics(rule: Rule, vector: Vector) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each missing label; Prometheus would leave a gap."""
    for text in (*rule.annotations.values(), *rule.labels.values()):
        for label in _SHOWN.findall(text):
            if not may_have(vector, label):
                message = f"its text shows the label {label}, which its expression does not have"
                yield Diagnostic("template", message, nearest_name(label, label_names(vector)))

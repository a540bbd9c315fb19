"""Labels that an alert's texts show, held against those that the alert has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from .finding import Problem, nearest
from .promql.shape import Vector, has, names
from .rule_files import Rule

_SHOWN: Final = re.compile(r"(?:\$labels|\.Labels)\.([A-Za-z_][A-Za-z0-9_]*)")


def problems_of(rule: Rule, vector: Vector) -> Iterator[Problem]:
    """Labels shown that the expression's series have not; Prometheus leaves a gap there."""
    for text in (*rule.annotations.values(), *rule.labels.values()):
        for label in _SHOWN.findall(text):
            if not has(vector, label):
                wrong = f"its text shows the label {label}, which its expression has not"
                yield Problem("template", wrong, nearest(label, names(vector)))

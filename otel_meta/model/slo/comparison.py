"""Comparisons of a value with a bound, shared by SLIs and alerts."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Operator = Literal["<", "<=", ">", ">="]

_TESTS: Final[Mapping[Operator, Callable[[float, float], bool]]] = MappingProxyType(
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
)
_NEGATIONS: Final[Mapping[Operator, Operator]] = MappingProxyType(
    {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
)


@dataclass(frozen=True)
class Comparison:
    """An operator, as PromQL spells it, and a bound in the instrument's unit."""

    operator: Operator
    bound: float

    def holds(self, value: float) -> bool:
        """Return True if the comparison is true of a value."""
        return _TESTS[self.operator](value, self.bound)

    def negated(self) -> Comparison:
        """Return the opposite comparison: ``<=`` for ``>``."""
        return Comparison(_NEGATIONS[self.operator], self.bound)

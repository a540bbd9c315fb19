"""The cardinality limit: the largest number of series of a metric in a process."""

from __future__ import annotations

import math
from typing import Final

from otel_meta.model.labels import Label

MAX_SERIES: Final = 2000
"""The cardinality limit of a metric, OpenTelemetry's default. Further series share one series."""


class CardinalityLimit:
    """The limit of a metric, and the number of series that count against the limit.

    If all labels are closed, every declared combination of values is reserved, even above the
    limit: undeclared values cannot displace declared values.

    Args:
        fields: the labels as declared.
        limit: the number of series; raised to the number of reserved combinations.
    """

    def __init__(self, fields: tuple[Label, ...], limit: int) -> None:
        declared = [_declared_values(field) for field in fields]
        self._closed: Final = [values for values in declared if values is not None]
        self._all_closed: Final = len(self._closed) == len(fields)
        reserved = math.prod(map(len, self._closed)) if self._all_closed else 0
        self.limit: Final = max(limit, reserved)
        self.free = self.limit - reserved
        """The number of further series that are not reserved. The owner of the series counts."""

    def has_room(self, values: tuple[str, ...]) -> bool:
        """Return True if a series with these values is within the limit."""
        return self.cost(values) <= self.free

    def cost(self, values: tuple[str, ...]) -> int:
        """Return what a series with these values takes from `free`: 0 if it is reserved, else 1."""
        if not self._all_closed:
            return 1
        return not all(value in known for value, known in zip(values, self._closed, strict=True))


def _declared_values(field: Label) -> frozenset[str] | None:
    """Return the values and the default of a closed label; None for an open label."""
    if field.values is None:
        return None
    return frozenset(field.values if field.default is None else (*field.values, field.default))

"""The cardinality limit: the largest number of series of a metric in a process."""

from __future__ import annotations

import math
from typing import Final

from otel_meta.model.labels import Label

MAX_SERIES: Final = 2000
"""The cardinality limit of a metric, OpenTelemetry's default. Further series share one series."""


class CardinalityLimit:
    """Counts the series of a metric against the limit.

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
        self._free = self.limit - reserved

    def acquire(self, values: tuple[str, ...]) -> bool:
        """Count a new series; return False if the limit is reached."""
        if self._is_reserved(values):
            return True
        if not self._free:
            return False
        self._free -= 1
        return True

    def release(self, values: tuple[str, ...]) -> None:
        """Stop counting a series after its removal."""
        if not self._is_reserved(values):
            self._free += 1

    def _is_reserved(self, values: tuple[str, ...]) -> bool:
        if not self._all_closed:
            return False
        return all(value in known for value, known in zip(values, self._closed, strict=True))


def _declared_values(field: Label) -> frozenset[str] | None:
    """Return the values and the default of a closed label; None for an open label."""
    if field.values is None:
        return None
    return frozenset(field.values if field.default is None else (*field.values, field.default))

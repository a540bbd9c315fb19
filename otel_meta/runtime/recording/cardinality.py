"""How many series a metric may have in a process, and which of them are sure of their place."""

from __future__ import annotations

import math
from typing import Final

from otel_meta.model.labels import Label

MAX_SERIES: Final = 2000
"""Series a metric may have in a process; OpenTelemetry's default. Further ones share one series."""


class CardinalityLimit:
    """The places of one metric.

    Where all labels are closed, the declared combinations have theirs from the start, however many
    they are: nothing that was not declared can take them.

    Args:
        fields: the labels as declared.
        limit: how many places there are; not fewer than what was declared.
    """

    def __init__(self, fields: tuple[Label, ...], limit: int) -> None:
        declared = [_declared(field) for field in fields]
        self._closed: Final = [values for values in declared if values is not None]
        self._all_closed: Final = len(self._closed) == len(fields)
        reserved = math.prod(map(len, self._closed)) if self._all_closed else 0
        self.limit: Final = max(limit, reserved)
        self._free = self.limit - reserved

    def take(self, values: tuple[str, ...]) -> bool:
        """Take a place for a new series, if there is one."""
        if self._is_reserved(values):
            return True
        if not self._free:
            return False
        self._free -= 1
        return True

    def release(self, values: tuple[str, ...]) -> None:
        """Free the place of a series that is gone."""
        if not self._is_reserved(values):
            self._free += 1

    def _is_reserved(self, values: tuple[str, ...]) -> bool:
        if not self._all_closed:
            return False
        return all(value in known for value, known in zip(values, self._closed, strict=True))


def _declared(field: Label) -> frozenset[str] | None:
    """The values of a closed label, with the one that it has when it is left out."""
    if field.values is None:
        return None
    return frozenset(field.values if field.default is None else (*field.values, field.default))

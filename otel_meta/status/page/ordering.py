"""The order of the page: meta-repositories and SLOs, worst first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from otel_meta.status.status_json import StatusJson

from .words import STATES


def urgency(row: StatusJson) -> tuple[int, float, float, str]:
    """Return a sort key: the state, then the end of the budget, then the budget left."""
    ends, left = row["exhausted_in_seconds"], row["budget_left"]
    return (
        list(STATES).index(row["state"]),
        math.inf if ends is None else ends,
        math.inf if left is None else left,
        row["name"],
    )


def grouped(rows: Iterable[StatusJson]) -> list[tuple[str, Sequence[StatusJson]]]:
    """Return the SLOs of each meta-repository; the meta-repository of the worst SLO is first."""
    groups: dict[str, list[StatusJson]] = {}
    for row in sorted(rows, key=urgency):
        groups.setdefault(row["repo"], []).append(row)
    return list(groups.items())

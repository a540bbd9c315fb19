"""The choice and the order of statuses: those of some SLOs and services, worst first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from otel_meta.status.status import State
from otel_meta.status.status_json import StatusJson

STATES: Final[tuple[State, ...]] = ("breached", "at_risk", "no_data", "ok")
"""Worst first. Nobody knows about an SLO without data, so that it comes before the ones met."""
_RANKS: Final[Mapping[str, int]] = {state: rank for rank, state in enumerate(STATES)}


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Names of meta-repositories, services and SLOs; none of a kind means all."""

    repos: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    slos: tuple[str, ...] = ()

    def includes(self, row: StatusJson) -> bool:
        """Return True if a status is selected."""
        chosen = (
            (self.repos, row["repo"]),
            (self.services, service_name(row)),
            (self.slos, row["name"]),
        )
        return all(not names or name in names for names, name in chosen)


def service_name(row: StatusJson) -> str:
    """Return the name of the service."""
    return row["service"].get("service_name", "")


def worst_first(rows: Iterable[StatusJson]) -> list[list[StatusJson]]:
    """Return the statuses by meta-repository: the groups and the rows of each, worst first."""
    groups: dict[str, list[StatusJson]] = {}
    for row in sorted(rows, key=_badness):
        groups.setdefault(row["repo"], []).append(row)
    return list(groups.values())


def _badness(row: StatusJson) -> tuple[int, float, str, str]:
    left = row["budget_left"]
    return (
        _RANKS.get(row["state"], 0),
        1.0 if left is None else left,
        row["name"],
        service_name(row),
    )

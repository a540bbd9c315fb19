"""The choice of statuses, by meta-repository, service and SLO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from otel_meta.status.status_json import StatusJson

SERVE: Final = "serve"
"""The word in the place of URLs that starts the server of the page."""


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

"""Where an alert sends whoever it wakes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Links:
    """The beginnings of links; by default paths in this repository and in Grafana."""

    runbooks: str = "docs/runbooks"
    dashboards: str = "/d"

    def runbook(self, page: str) -> str:
        """The page of a family of alerts."""
        return f"{self.runbooks}/{page}.md"

    def dashboard(self, uid: str) -> str:
        """A dashboard by its uid."""
        return f"{self.dashboards}/{uid}"


SLO_DASHBOARD = "otel-meta-slo"
BUSINESS_DASHBOARD = "otel-meta-business"


def repo_dashboard(repo_name: str) -> str:
    """The uid of a meta-repository's dashboard; Grafana allows 40 characters."""
    return f"otel-meta-{repo_name}"[:40]

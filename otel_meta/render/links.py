"""Links from alerts to runbooks and dashboards."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Links:
    """The base of each link; by default a path in this repository and in Grafana."""

    runbooks: str = "docs/runbooks"
    dashboards: str = "/d"

    def runbook(self, page: str) -> str:
        """Return the link to a runbook."""
        return f"{self.runbooks}/{page}.md"

    def dashboard(self, uid: str) -> str:
        """Return the link to a dashboard."""
        return f"{self.dashboards}/{uid}"


SLO_DASHBOARD = "otel-meta-slo"
BUSINESS_DASHBOARD = "otel-meta-business"


def repo_dashboard(repo_name: str) -> str:
    """Return the uid of a meta-repository's dashboard; Grafana allows 40 characters."""
    return f"otel-meta-{repo_name}"[:40]

"""Links from alerts to runbooks and dashboards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Links:
    """The base of each link; by default a path in this repository and in Grafana."""

    runbooks: str = "docs/runbooks"
    dashboards: str = "/d"

    def runbook(self, page: str, section: str = "") -> str:
        """Return the link to a runbook, or to the section of its page with this heading."""
        return f"{self.runbooks}/{page}.md{section and '#' + section.lower()}"

    def dashboard(self, uid: str, variables: Mapping[str, str] = MappingProxyType({})) -> str:
        """Return the link to a dashboard, for the annotation of an alert.

        Args:
            uid: of the dashboard.
            variables: variables of the dashboard, and the labels of the alert that are their
                values.
        """
        chosen = "&".join(
            f"var-{name}={{{{ $labels.{label} | urlquery }}}}" for name, label in variables.items()
        )
        return f"{self.dashboards}/{uid}{chosen and '?' + chosen}"


SLO_DASHBOARD = "otel-meta-slo"
BUSINESS_DASHBOARD = "otel-meta-business"


def repo_dashboard(repo_name: str) -> str:
    """Return the uid of a meta-repository's dashboard; Grafana allows 40 characters."""
    return f"otel-meta-{repo_name}"[:40]

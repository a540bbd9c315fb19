"""Links from alerts to runbooks and dashboards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from otel_meta.model import Duration
from otel_meta.status.slo_links import SLO_DASHBOARD, variable_of


@dataclass(frozen=True)
class Links:
    """The base of each link; by default a path in this repository and in Grafana."""

    runbooks: str = "docs/runbooks"
    dashboards: str = "/d"

    def runbook(self, page: str, section: str = "") -> str:
        """Return the link to a runbook, or to the section of its page with this heading."""
        return f"{self.runbooks}/{page}.md{section and '#' + section.lower()}"

    def dashboard(
        self,
        uid: str,
        variables: Mapping[str, str] = MappingProxyType({}),
        places: Iterable[str] = (),
        since: Duration | None = None,
    ) -> str:
        """Return the link to a dashboard, for the annotation of an alert.

        Args:
            uid: of the dashboard.
            variables: variables of the dashboard, and the labels of the alert that are their
                values.
            places: labels that set their variables where the alert has them, such as cluster.
            since: how long before the alert the dashboard begins; by default, it decides itself.
        """
        chosen = "&".join(_choice(name, f"$labels.{label}") for name, label in variables.items())
        placed = "".join(
            f"{{{{ with $labels.{label} }}}}&{_choice(variable_of(label), '.')}{{{{ end }}}}"
            for label in places
        )
        return f"{self.dashboards}/{uid}{chosen and '?' + chosen + placed + _begin(since)}"


def _begin(since: Duration | None) -> str:
    """Return the range of time: from a fixed moment, so that an old notification shows the alert.

    Prometheus is asked for the time, since a template does not know when its alert fired.
    """
    if since is None:
        return ""
    asked = f"1000 * (vector(time()) - {since.seconds})"
    begin = 'from={{ printf "%.0f" .Value }}&to=now'
    return f'{{{{ range query "{asked}" }}}}&{begin}{{{{ end }}}}'


def _choice(variable: str, value: str) -> str:
    return f"var-{variable}={{{{ {value} | urlquery }}}}"


BUSINESS_DASHBOARD: Final = "otel-meta-business"
_LONGEST_UID: Final = 40
"""Grafana's limit of a dashboard's uid."""
_DIGITS: Final = 8


def repo_dashboard(repo_name: str) -> str:
    """Return the uid of a meta-repository's dashboard.

    A name that is too long, or that gives the uid of another dashboard, is told apart by a digest.
    """
    uid = f"otel-meta-{repo_name}"
    if len(uid) <= _LONGEST_UID and uid not in {SLO_DASHBOARD, BUSINESS_DASHBOARD}:
        return uid
    digest = sha256(repo_name.encode()).hexdigest()[:_DIGITS]
    return f"{uid[: _LONGEST_UID - _DIGITS - 1]}-{digest}"

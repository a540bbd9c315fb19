"""Alertmanager's configuration: who is told, how soon, how often, and what a page makes redundant.

Alerts of the same service are told together. A page keeps back the ticket about the same promise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from otel_meta.model import Catalog, MetaRepo, Severity

from ._yaml import to_yaml
from .header import generated_from
from .rules import series_names as series
from .rules.promql_builder import equals
from .rules.time_scale import REAL_TIME, scaled

_COMMENT: Final = generated_from("the catalogue")

_SEVERITIES: Final[Mapping[Severity, Mapping[str, str]]] = {
    "page": {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"},
    "ticket": {"group_wait": "5m", "group_interval": "1h", "repeat_interval": "3d"},
}
_WATCHDOG: Final = "watchdog"
_OWN_WORDS: Final = "SloIdle|SloNoData"
"""Tickets that no page makes redundant: a spent budget does not explain a silence."""


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """Where a team is told."""

    page: str
    """What wakes somebody."""
    ticket: str
    """What waits for working hours."""

    def url(self, severity: Severity) -> str:
        """The one for a severity."""
        return self.page if severity == "page" else self.ticket


@dataclass(frozen=True, kw_only=True)
class Receivers:
    """Where alerts go."""

    anybody: Webhooks
    """For teams that have none of their own."""
    watchdog: str
    """What raises the alarm when nothing comes any more."""
    teams: Mapping[str, Webhooks] = field(default_factory=dict[str, Webhooks])

    def at(
        self, *, page: str | None = None, ticket: str | None = None, watchdog: str | None = None
    ) -> Receivers:
        """The same with other webhooks, where they are given."""
        anybody = Webhooks(page=page or self.anybody.page, ticket=ticket or self.anybody.ticket)
        return Receivers(anybody=anybody, watchdog=watchdog or self.watchdog, teams=self.teams)


def alertmanager(catalog: Catalog, receivers: Receivers, time_scale: Fraction = REAL_TIME) -> str:
    """The configuration that routes every alert of a catalogue.

    ``time_scale`` is for demos and tests: at 1/60, a minute of every wait is a second.
    """
    repos = [repo for repo in catalog if repo.owner in receivers.teams]
    config = {
        "route": {
            "receiver": "ticket",  # what nobody foresaw
            "group_by": [*series.SERVICE_LABELS],
            **_SEVERITIES["ticket"],
            "routes": [_watchdog(), *(_severity(severity, repos) for severity in _SEVERITIES)],
        },
        "inhibit_rules": [_inhibition()],
        "receivers": list(_receivers(receivers, repos)),
    }
    return to_yaml(scaled(config, time_scale), comment=_COMMENT)


def _watchdog() -> dict[str, Any]:
    """Told each minute, for it is silence that means something."""
    return {
        "receiver": _WATCHDOG,
        "matchers": [equals("alertname", "Watchdog")],
        "group_by": ["alertname"],
        "group_wait": "0s",
        "group_interval": "1m",
        "repeat_interval": "1m",
    }


def _severity(severity: Severity, repos: list[type[MetaRepo]]) -> dict[str, Any]:
    return {
        "receiver": severity,
        "matchers": [equals("severity", severity)],
        **_SEVERITIES[severity],
        "routes": [_team(severity, repo) for repo in repos],
    }


def _team(severity: Severity, repo: type[MetaRepo]) -> dict[str, Any]:
    """By service_namespace, which alerts across meta-repositories carry too."""
    return {
        "receiver": f"{repo.owner}-{severity}",
        "matchers": [equals(series.NAMESPACE, repo.name)],
    }


def _inhibition() -> dict[str, Any]:
    """Labels that both sides lack are equal to Alertmanager, so both have to name an SLO."""
    named = f'{series.SLO}!=""'
    return {
        "source_matchers": [equals("severity", "page"), named],
        "target_matchers": [equals("severity", "ticket"), named, f'alertname!~"{_OWN_WORDS}"'],
        "equal": [*series.IDENTITY],
    }


def _receivers(receivers: Receivers, repos: list[type[MetaRepo]]) -> Iterator[dict[str, Any]]:
    yield _webhook(_WATCHDOG, receivers.watchdog, resolved=False)
    owners = dict.fromkeys(repo.owner for repo in repos)
    for severity in _SEVERITIES:
        yield _webhook(severity, receivers.anybody.url(severity))
        for owner in owners:
            yield _webhook(f"{owner}-{severity}", receivers.teams[owner].url(severity))


def _webhook(name: str, url: str, *, resolved: bool = True) -> dict[str, Any]:
    return {"name": name, "webhook_configs": [{"url": url, "send_resolved": resolved}]}

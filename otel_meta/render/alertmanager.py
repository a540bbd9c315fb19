"""Alertmanager's configuration: receivers, grouping, intervals and inhibition.

Alerts of the same service are grouped. A page inhibits the ticket about the same SLO.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from otel_meta.model import Catalog, MetaRepo, Severity
from otel_meta.model.identity import Identity

from ._yaml import to_yaml
from .header import generated_from
from .options import Options
from .receivers import Receivers
from .rules import series_names
from .rules.promql_builder import equals
from .rules.time_scale import REAL_TIME, scaled

_COMMENT: Final = generated_from("the catalogue")

_SEVERITIES: Final[Mapping[Severity, Mapping[str, str]]] = {
    "page": {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"},
    "ticket": {"group_wait": "5m", "group_interval": "1h", "repeat_interval": "3d"},
}
_WATCHDOG: Final = "watchdog"
_NEVER_INHIBITED: Final = "SloNoEvents|SloNoData"
"""Tickets never inhibited by a page: an exhausted budget does not explain missing data."""


def alertmanager(catalog: Catalog, options: Options, time_scale: Fraction = REAL_TIME) -> str:
    """Return the configuration that routes every alert of a catalogue.

    Args:
        catalog: its meta-repositories name the owners.
        options: the receivers, and the identity by which alerts are grouped.
        time_scale: for demos and tests; at 1/60, a minute of every interval becomes a second.
    """
    receivers = options.receivers
    repos = [repo for repo in catalog if repo.owner in receivers.teams]
    config = {
        "route": {
            "receiver": "ticket",  # alerts without a severity
            "group_by": [*options.identity.service],
            **_SEVERITIES["ticket"],
            "routes": [_watchdog(), *(_severity(severity, repos) for severity in _SEVERITIES)],
        },
        "inhibit_rules": [_inhibition(options.identity)],
        "receivers": list(_receivers(receivers, repos)),
    }
    return to_yaml(scaled(config, time_scale), comment=_COMMENT)


def _watchdog() -> dict[str, Any]:
    """Return the watchdog's route: a notification each minute, whose absence is the alarm.

    With a repeat interval of a full minute, every other notification would be left out: when the
    next one is due, the last one is a little less than a minute old.
    """
    return {
        "receiver": _WATCHDOG,
        "matchers": [equals("alertname", "Watchdog")],
        "group_by": ["alertname"],
        "group_wait": "0s",
        "group_interval": "1m",
        "repeat_interval": "50s",
    }


def _severity(severity: Severity, repos: list[type[MetaRepo]]) -> dict[str, Any]:
    return {
        "receiver": severity,
        "matchers": [equals("severity", severity)],
        **_SEVERITIES[severity],
        "routes": [_team(severity, repo) for repo in repos],
    }


def _team(severity: Severity, repo: type[MetaRepo]) -> dict[str, Any]:
    """Match by service_namespace, a label of the alerts across meta-repositories as well."""
    return {
        "receiver": f"{repo.owner}-{severity}",
        "matchers": [equals(series_names.NAMESPACE, repo.name)],
    }


def _inhibition(identity: Identity) -> dict[str, Any]:
    """Return the inhibition rule. Both sides need an SLO: two missing labels count as equal."""
    named = f'{series_names.SLO}!=""'
    return {
        "source_matchers": [equals("severity", "page"), named],
        "target_matchers": [
            equals("severity", "ticket"),
            named,
            f'alertname!~"{_NEVER_INHIBITED}"',
        ],
        "equal": [*identity.slo],
    }


def _receivers(receivers: Receivers, repos: list[type[MetaRepo]]) -> Iterator[dict[str, Any]]:
    yield _webhook(_WATCHDOG, receivers.watchdog, resolved=False)
    owners = dict.fromkeys(repo.owner for repo in repos)
    for severity in _SEVERITIES:
        yield _webhook(severity, receivers.default.url(severity))
        for owner in owners:
            yield _webhook(f"{owner}-{severity}", receivers.teams[owner].url(severity))


def _webhook(name: str, url: str, *, resolved: bool = True) -> dict[str, Any]:
    return {"name": name, "webhook_configs": [{"url": url, "send_resolved": resolved}]}

"""Alertmanager's configuration: receivers, grouping, intervals and inhibition.

Alerts of the same service are grouped. An alert without a service, such as that of a scanner or of
a quota, is grouped with the alerts of its own name. A page about the present inhibits the tickets
that follow from its cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from otel_meta.model import Catalog, MetaRepo, Severity
from otel_meta.model.identity import NAMESPACE, SERVICE, Identity

from ._yaml import to_yaml
from .header import generated_from
from .options import Options, TicketHours
from .receivers import Existing, Target
from .rules import series_names
from .rules.promql_builder import equals
from .rules.time_scale import REAL_TIME, scaled

_COMMENT: Final = generated_from("the catalogue")
_EXISTING: Final = """\
The receivers {names} are yours: add their definitions to the end of this file."""

_SEVERITIES: Final[Mapping[Severity, Mapping[str, str]]] = {
    "page": {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h"},
    "ticket": {"group_wait": "5m", "group_interval": "1h", "repeat_interval": "3d"},
}
_WATCHDOG: Final = "watchdog"
_TICKET_HOURS: Final = "ticket-hours"
_BURNS_NOW: Final = "SloErrorBudgetBurnFast|SloErrorBudgetExhausted"
"""Alerts that page while the error budget burns; the ticket of the second is about the past."""
_NO_DATA: Final = "SloNoEvents|SloNoData"
"""Tickets about missing data: a burning budget does not explain them, a dead service does."""
_DOWN: Final = "ServiceDown"
_LOST: Final = "TelemetryLost"
"""The page in place of many: most services of a place are gone at once."""


def alertmanager(catalog: Catalog, options: Options, time_scale: Fraction = REAL_TIME) -> str:
    """Return the configuration that routes every alert of a catalogue.

    Args:
        catalog: its meta-repositories name the owners.
        options: receivers, words of severities, working hours, and the identity by which alerts
            are grouped.
        time_scale: for demos and tests; at 1/60, a minute of every interval becomes a second.
    """
    repos = [repo for repo in catalog if repo.owner in options.receivers.teams]
    config = {
        "route": {
            "receiver": _name("ticket", options.receivers.default.ticket),  # without a severity
            "group_by": [*options.identity.service],
            **_SEVERITIES["ticket"],
            "routes": [_watchdog(options), *(_severity(s, repos, options) for s in _SEVERITIES)],
        },
        "inhibit_rules": list(_inhibitions(options)),
        **_time_intervals(options.ticket_hours),
        # The last key, so that definitions can be added to the end of the file.
        "receivers": list(_receivers(options, repos)),
    }
    text = to_yaml(scaled(config, time_scale), comment=_comment(options))
    return text.removesuffix(" []\n") + "\n" * text.endswith(" []\n")


def _comment(options: Options) -> str:
    receivers = options.receivers
    targets = [receivers.watchdog]
    for webhooks in (receivers.default, *receivers.teams.values()):
        targets += [webhooks.page, webhooks.ticket]
    names = dict.fromkeys(target.name for target in targets if isinstance(target, Existing))
    existing = [_EXISTING.format(names=", ".join(names))] if names else []
    return "\n".join([_COMMENT, *existing])


def _watchdog(options: Options) -> dict[str, Any]:
    """Return the watchdog's route: a notification each minute, whose absence is the alarm.

    With a repeat interval of a full minute, every other notification would be left out: when the
    next one is due, the last one is a little less than a minute old.
    """
    return {
        "receiver": _name(_WATCHDOG, options.receivers.watchdog),
        "matchers": [equals("alertname", "Watchdog")],
        "group_by": ["alertname"],
        "group_wait": "0s",
        "group_interval": "1m",
        "repeat_interval": "50s",
    }


def _severity(severity: Severity, repos: list[type[MetaRepo]], options: Options) -> dict[str, Any]:
    """Return the route of a severity, with a route for each team and for alerts of no service."""
    return {
        "receiver": _name(severity, options.receivers.default.target(severity)),
        "matchers": [equals("severity", options.severities[severity])],
        **_SEVERITIES[severity],
        **_hours(severity, options),
        "routes": [
            *(_team(severity, repo, options) for repo in repos),
            _without_service(severity, options),
        ],
    }


def _team(severity: Severity, repo: type[MetaRepo], options: Options) -> dict[str, Any]:
    """Match by service_namespace, a label of the alerts across meta-repositories as well."""
    target = options.receivers.teams[repo.owner].target(severity)
    return {
        "receiver": _name(f"{repo.owner}-{severity}", target),
        "matchers": [equals(series_names.NAMESPACE, repo.name)],
        **_hours(severity, options),
        "routes": [_without_service(severity, options)],
    }


def _without_service(severity: Severity, options: Options) -> dict[str, Any]:
    """Return the route of alerts that no service has: each name is a group of its own."""
    return {
        "matchers": [equals(SERVICE, "")],
        "group_by": ["alertname", NAMESPACE, *options.identity.places],
        **_hours(severity, options),
    }


def _hours(severity: Severity, options: Options) -> dict[str, Any]:
    """Return the hours of a route; routes below do not inherit them."""
    if severity == "page" or options.ticket_hours is None:
        return {}
    return {"active_time_intervals": [_TICKET_HOURS]}


def _time_intervals(hours: TicketHours | None) -> dict[str, Any]:
    if hours is None:
        return {}
    interval = {
        "weekdays": [*hours.days],
        "times": [{"start_time": hours.begin, "end_time": hours.end}],
        "location": hours.time_zone,
    }
    return {"time_intervals": [{"name": _TICKET_HOURS, "time_intervals": [interval]}]}


def _inhibitions(options: Options) -> Iterator[dict[str, Any]]:
    """Yield the inhibitions: only alerts about the present inhibit, and only of one identity."""
    page, ticket = (equals("severity", options.severities[s]) for s in _SEVERITIES)
    named = f'{series_names.SLO}!=""'  # two missing labels would count as equal
    yield {
        "source_matchers": [f'alertname=~"{_BURNS_NOW}"', page, named],
        "target_matchers": [f'alertname!~"{_NO_DATA}"', ticket, named],
        "equal": [*options.identity.slo],
    }
    yield _service_down(options.identity)
    yield {
        "source_matchers": [equals("alertname", _LOST)],
        "target_matchers": [equals("alertname", _DOWN)],
        "equal": [*options.identity.places],
    }


def _service_down(identity: Identity) -> dict[str, Any]:
    named = f'{SERVICE}!=""'
    return {
        "source_matchers": [equals("alertname", _DOWN), named],
        "target_matchers": [f'alertname=~"{_NO_DATA}"', named],
        "equal": [*identity.service],
    }


def _receivers(options: Options, repos: list[type[MetaRepo]]) -> Iterator[dict[str, Any]]:
    receivers = options.receivers
    yield from _webhook(_WATCHDOG, receivers.watchdog, resolved=False)
    owners = dict.fromkeys(repo.owner for repo in repos)
    for severity in _SEVERITIES:
        yield from _webhook(severity, receivers.default.target(severity))
        for owner in owners:
            yield from _webhook(f"{owner}-{severity}", receivers.teams[owner].target(severity))


def _webhook(name: str, target: Target, *, resolved: bool = True) -> Iterator[dict[str, Any]]:
    """Yield the definition of a webhook; a receiver that exists is defined elsewhere."""
    if not isinstance(target, Existing):
        yield {"name": name, "webhook_configs": [{"url": target, "send_resolved": resolved}]}


def _name(name: str, target: Target) -> str:
    return target.name if isinstance(target, Existing) else name

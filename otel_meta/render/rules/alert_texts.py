"""The labels and annotations of alerts: routing, texts and links."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from otel_meta.model import Duration, MetaRepo, Severity
from otel_meta.render.options import Options

from . import series_names

AlertSeverity = Severity | Literal["none"]
"""The severity of an alert; "none" for the alert that always fires."""
NO_SEVERITY: Final = "none"
"""The severity of the watchdog, which is no problem."""

SERVICE_TEXT: Final = f"{{{{ $labels.{series_names.SERVICE} }}}}"
"""The service's name in the texts of an alert."""
OF_SERVICE: Final[Mapping[str, str]] = MappingProxyType({"service": series_names.SERVICE})
"""The variable of a dashboard that an alert about a service sets, and its label."""
OF_NAMESPACE: Final[Mapping[str, str]] = MappingProxyType({"namespace": series_names.NAMESPACE})
"""The variable of the SLO dashboard that an alert about a meta-repository sets."""
OF_SERVICE_SLOS: Final[Mapping[str, str]] = MappingProxyType({**OF_NAMESPACE, **OF_SERVICE})
"""The variables of the SLO dashboard that an alert about a service sets, and their labels."""
OF_SLO: Final[Mapping[str, str]] = MappingProxyType({**OF_SERVICE_SLOS, "slo": series_names.SLO})
"""The variables of the SLO dashboard that an alert about an SLO sets, and their labels."""
SHOWN: Final = Duration("6h")
"""How long before an alert its dashboard begins."""
_OPENING: Final = re.compile(r"\{\{|\{$")


def literal(text: str) -> str:
    """Return a text of the catalogue for the template of an alert, where braces are commands.

    Every text of a declaration passes through this function. Names have no braces by their form.

    Examples:
        >>> literal("Because {{ .Values.reason }}.")
        'Because {{ "{{" }} .Values.reason }}.'
    """
    return _OPENING.sub(lambda braces: f'{{{{ "{braces[0]}" }}}}', text)


def alert_labels(
    repo: type[MetaRepo] | None, severity: AlertSeverity, options: Options
) -> dict[str, str]:
    """Return the labels by which an alert is routed; words and more labels are the user's.

    Args:
        repo: the meta-repository that owns the alert; None for an alert across all of them.
        severity: of the alert, in the words of the catalogue.
        options: the words of severities, and more labels.
    """
    word = NO_SEVERITY if severity == NO_SEVERITY else options.severities[severity]
    if repo is None:
        return {**options.alert_labels, "severity": word}
    return {
        **options.alert_labels,
        "meta_repository": repo.name,
        "severity": word,
        "team": repo.owner,
    }


def alert_annotations(
    options: Options,
    *,
    summary: str,
    description: str,
    runbook: str,
    dashboard: str,
    anchor: str = "",
    variables: Mapping[str, str] = MappingProxyType({}),
    since: Duration = SHOWN,
) -> dict[str, str]:
    """Return the annotations of an alert, with the user's annotations first.

    Args:
        options: the bases of the links, and more annotations.
        summary: what is wrong, in one line.
        description: the value, the bound and the consequence.
        runbook: the name of the runbook's page.
        dashboard: the uid of the dashboard.
        anchor: the alert whose section of the page is meant; without it, the beginning of the page.
        variables: variables of the dashboard, and the labels of the alert that are their values.
        since: how long before the alert the dashboard begins.
    """
    places = options.identity.places
    return {
        **options.alert_annotations,
        "summary": summary,
        "description": description,
        "runbook_url": options.links.runbook(runbook, anchor),
        "dashboard_url": options.links.dashboard(dashboard, variables, places, since),
    }

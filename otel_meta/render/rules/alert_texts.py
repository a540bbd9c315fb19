"""The labels and annotations that all alerts have."""

from __future__ import annotations

from typing import Final, Literal

from otel_meta.model import MetaRepo, Severity
from otel_meta.render.options import Options

NO_SEVERITY: Final = "none"
"""The severity of the watchdog, which is no problem."""


def alert_labels(
    repo: type[MetaRepo] | None, severity: Severity | Literal["none"], options: Options
) -> dict[str, str]:
    """Return the labels of an alert; the words of severities and more labels are the user's.

    Args:
        repo: the meta-repository that owns the alert; None for an alert across all of them.
        severity: ``page`` or ``ticket``; ``none`` for the watchdog.
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
    options: Options, *, summary: str, description: str, runbook: str, dashboard: str
) -> dict[str, str]:
    """Return the annotations of an alert, with the user's annotations first.

    Args:
        options: more annotations.
        summary: the problem, in a line.
        description: the values, and what they mean.
        runbook: the URL of the runbook.
        dashboard: the URL of the dashboard.
    """
    return {
        **options.alert_annotations,
        "summary": summary,
        "description": description,
        "runbook_url": runbook,
        "dashboard_url": dashboard,
    }

"""The runbook of alerts about several SLOs, and of the watchdog."""

from __future__ import annotations

from typing import Final

from otel_meta.render.rules import series_names
from otel_meta.render.rules.intervals import INCREASE_WINDOW
from otel_meta.render.rules.overview import (
    HIGH_BURN_RATE,
    LOWEST_COMPLIANCE,
    MOST_VIOLATIONS,
    VIOLATED_SHARE,
)

from .markdown import code, page
from .operator_commands import OF_REPOSITORY, OF_SERVICE, OF_SLO, silencing

_SOURCE: Final = "otel_meta/render/docs/overview_runbook.py"
_BURNS_NOW: Final = (
    f"{series_names.BURN_RATE_1H} > 1 "
    f"and {series_names.error_ratio(INCREASE_WINDOW)} > 1 - {series_names.OBJECTIVE}"
)


def overview_runbook() -> str:
    """Return the page, with a section for each alert."""
    return page(
        "Alerts about several SLOs",
        _SOURCE,
        "## SloErrorBudgetBurningFast",
        f"**Meaning.** The burn rate of an SLO is above {HIGH_BURN_RATE}, over the last hour and "
        "over the last five minutes. Severity: ticket. *SloErrorBudgetBurnFast*, with a similar "
        "name, pages from a burn rate of 14.4 on, and holds this ticket back. The ticket is for "
        "what lies between: too fast to wait for the slower ticket, too slow to wake somebody.",
        "**First steps.** Find the SLOs and their burn rates:",
        code(f"sort_desc({series_names.BURN_RATE_1H} > {HIGH_BURN_RATE})", "promql"),
        "**Actions.** Follow [the section of the SLO](slo-burn.md#all-slos).",
        silencing(f'alertname="SloErrorBudgetBurningFast" {OF_SLO}'),
        "## SloComplianceLow",
        f"**Meaning.** The services of a meta-repository meet less than {LOWEST_COMPLIANCE:.0%} of "
        f"their SLOs, and more than {MOST_VIOLATIONS} SLO is not met. Severity: ticket. A single "
        "SLO that is not met has *SloErrorBudgetExhausted*; this alert is about the whole.",
        "**First steps.** Find the SLOs that are not met:",
        code(f"{series_names.COMPLIANT} == 0", "promql"),
        "Find the services by the share of their SLOs that are met:",
        code(f"sort({series_names.COMPLIANCE})", "promql"),
        "**Actions.** Follow the error budget policy for the meta-repository: reliability first.",
        silencing(f'alertname="SloComplianceLow" {OF_REPOSITORY}'),
        "## SloMultipleViolations",
        f"**Meaning.** At least {VIOLATED_SHARE:.0%} of the SLOs of a service, and more than "
        f"{MOST_VIOLATIONS}, were not met at some time in 24 hours, and at least two burn their "
        "budgets now. Severity: page, while the budgets burn.",
        "**First steps.** Find the services and how many of their SLOs were not met:",
        code(f"sort_desc({series_names.VIOLATIONS})", "promql"),
        "Find what burns now:",
        code(_BURNS_NOW, "promql"),
        "**Actions.** Look first for a dependency that these SLOs share, and for the last change "
        "of the service.",
        silencing(f'alertname="SloMultipleViolations" {OF_SERVICE}'),
        "## Watchdog",
        "**Meaning.** This alert always fires, and a notification leaves each minute. Its receiver "
        "raises an alarm when the notifications stop: then Prometheus, Alertmanager or the way "
        "between them is down, and no other alert arrives.",
        "**First steps.** Find out whether Prometheus evaluates the rule:",
        code('ALERTS{alertname="Watchdog"}', "promql"),
        "**Actions.** Restore Prometheus or Alertmanager. Do not silence the alert.",
    )

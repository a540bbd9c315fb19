"""``what_would_page``: the alerts of a constant outage, from the declaration alone."""

from __future__ import annotations

import math
from fractions import Fraction

from otel_meta.model.slo.budget_plan import Outage, PlannedAlert
from otel_meta.render.options import Options
from otel_meta.render.rules.alerting_rules import BURN_ALERTS

from .tool_answers import OutagePlan, PlannedPage
from .tool_sources import Sources


def outage_plan(
    sources: Sources, name: str, bad_share: float, events: int | None = None
) -> OutagePlan:
    """Return the alerts of an outage.

    Args:
        sources: the catalogue.
        name: the SLO.
        bad_share: share of bad events, above 0 and at most 1.
        events: events in a period; None if each window has enough of them.

    Raises:
        UsageError: there is no such SLO.
    """
    _, slo = sources.slo(name)
    traffic = None if events is None else Fraction(events, slo.period.seconds)
    outage = Outage(slo=slo, bad_share=Fraction(str(bad_share)), events_per_second=traffic)
    pages = [_page(alert, sources.project.options) for alert in outage.alerts()]
    return OutagePlan(
        slo=slo.name,
        objective=str(slo.objective),
        period=str(slo.period),
        bad_share=bad_share,
        budget_lasts_seconds=float(outage.seconds_for(Fraction(1))),
        alerts=sorted(pages, key=_fires_after),
    )


def _fires_after(page: PlannedPage) -> float:
    return math.inf if page.fires_after_seconds is None else page.fires_after_seconds


def _page(planned: PlannedAlert, options: Options) -> PlannedPage:
    window = planned.window
    after, spent = planned.fires_after, planned.spent
    return PlannedPage(
        alert=BURN_ALERTS[window.severity][0],
        severity=options.severities[window.severity],
        long=str(window.long),
        short=str(window.short),
        fires_after_seconds=None if after is None else float(after),
        budget_spent=None if spent is None else float(spent),
        obstacle=planned.obstacle,
    )

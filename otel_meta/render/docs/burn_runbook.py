"""The runbook of burning error budgets: a section for each SLO, to which its alerts link."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.model import Catalog, MetaRepo, Slo
from otel_meta.render.options import Options
from otel_meta.render.rules import series_names
from otel_meta.render.rules.promql_builder import equals, number, selector
from otel_meta.status.sli_text import sli_text

from . import runbook_queries
from .markdown import code, code_span, literal, page, table
from .silences import OF_SERVICE, silencing

_SOURCE: Final = "otel_meta/render/docs/burn_runbook.py"
_STEPS: Final = (
    "Say to users and colleagues that the service fails, and since when.",
    "Look for a change at that time: a deployment, a configuration, more traffic, a dependency.",
    "Undo the change first; find the cause afterwards.",
    "If one instance fails, stop or replace the instance.",
    "If one route, one customer or one job fails, switch the part off, or limit its traffic.",
    "If everything fails at once, look at the dependencies, which have SLOs of their own.",
    "Without a cause after half an hour, call the owner of the SLO.",
)


def burn_runbook(catalog: Catalog, options: Options) -> str:
    """Return the page."""
    return page(
        "SloErrorBudgetBurnFast, SloErrorBudgetBurnSlow",
        _SOURCE,
        "**Meaning.** A service fails too many of its users' requests, jobs or checks. "
        "*SloErrorBudgetBurnFast* pages: at this rate the error budget is gone within days or "
        "hours. *SloErrorBudgetBurnSlow* opens a ticket: the budget will be gone before the "
        "period ends. The short window burns as well as the long window, so the failures go on.",
        "The alert links to the section of its SLO below: is the budget still burning, since "
        "when, and in which part of the service.",
        *_actions(),
        "## All SLOs",
        "Find the services and their burn rates. A burn rate of 1 spends the budget in exactly one "
        "period:",
        code(f"topk(10, {series_names.BURN_RATE_1H})", "promql"),
        "Find the share of the error budget that is left:",
        code(f"sort({series_names.BUDGET_REMAINING})", "promql"),
        *(
            part
            for repo in catalog
            for slo in repo.slos.values()
            for part in _section(repo, slo, options)
        ),
    )


def _actions() -> Iterator[str]:
    yield "## What to do"
    yield "\n".join(f"{number}. {step}" for number, step in enumerate(_STEPS, 1))
    yield (
        "On the SLO dashboard, an exemplar leads to the trace of a bad request, and the trace id "
        "to the log lines. The alert ends by itself when the short window is within the limit."
    )


def _section(repo: type[MetaRepo], slo: Slo, options: Options) -> Iterator[str]:
    limits = [
        [severity, limit, f"{long} and {short}"] for severity, limit, long, short in _windows(slo)
    ]
    yield f"## {slo.name}"
    yield (
        f"{slo.objective} of the events have to be good over {slo.period}. {literal(slo.why)} "
        f"Owner: {repo.owner}. Good: {code_span(sli_text(slo.sli))}."
    )
    yield "Is the budget still burning? Above 1, the service spends more than the budget allows:"
    yield code(runbook_queries.burn_rate_now(slo), "promql")
    yield "Since when? Minutes since the share of bad events was last within the objective:"
    yield code(runbook_queries.minutes_of_burning(slo), "promql")
    yield f"In which part? Bad events of the last {runbook_queries.RECENT}, by label:"
    yield code(runbook_queries.bad_parts(repo, slo, options), "promql")
    instances = runbook_queries.bad_instances(repo, slo, options)
    if instances:
        yield "In one instance?"
        yield code(instances, "promql")
    yield "How much of the error budget is left?"
    name = series_names.BUDGET_REMAINING
    yield code(selector(name, [equals(series_names.SLO, slo.name)]), "promql")
    yield "Then follow [the steps above](#what-to-do)."
    yield silencing(f'slo="{slo.name}" {OF_SERVICE}')
    yield (
        "The alerts fire when the share of bad events is above the limit in both windows, with "
        f"at least {slo.min_bad_events} bad events in the long window:"
    )
    yield table(["severity", "share of bad events above", "windows"], limits)


def _windows(slo: Slo) -> Iterator[tuple[str, str, str, str]]:
    for window in slo.burn_windows:
        limit = number(100 * window.limit(slo.period, slo.objective.budget))
        yield window.severity, f"{limit}%", str(window.long), str(window.short)

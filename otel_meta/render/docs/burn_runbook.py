"""The runbook of burning error budgets: how to stop failures, and the section of each SLO."""

from __future__ import annotations

from typing import Final

from otel_meta.model import Catalog
from otel_meta.render.rules import series_names

from .markdown import code, page
from .operator_commands import OF_SLO, silencing, status_command
from .slo_section import slo_index

_SOURCE: Final = "otel_meta/render/docs/burn_runbook.py"
_STEPS: Final = (
    "**Tell** users and colleagues that the service fails, and since when.",
    "**Undo the last change** before the failures: a deployment, a configuration, a feature flag.",
    "**Stop or replace the instance**, if one instance fails.",
    "**Switch the part off**, or limit its traffic, if one route, customer or job fails.",
    "**Refuse the least important callers**, and add instances, if there is more traffic.",
    "**Look at the dependencies**, if everything fails at once: they have SLOs of their own.",
    "**Call the owner** of the SLO, if there is no cause after half an hour.",
)


def burn_runbook(catalog: Catalog) -> str:
    """Return the page."""
    return page(
        "SloErrorBudgetBurnFast, SloErrorBudgetBurnSlow",
        _SOURCE,
        "**Meaning.** A service fails too many of its users' requests, jobs or checks. "
        "*SloErrorBudgetBurnFast* pages: at this rate the error budget is gone within days or "
        "hours. *SloErrorBudgetBurnSlow* opens a ticket: the budget will be gone before the "
        "period ends. The short window burns as well as the long window, so the failures go on.",
        "Begin with the section of the SLO, to which the alert links: is the budget still "
        "burning, since when, in which part of the service, and what the owners advise.",
        "## What burns now",
        "Find the services that burn, the worst on top:",
        status_command(),
        "The same in PromQL. A burn rate of 1 spends the budget in exactly one period:",
        code(f"topk(10, {series_names.BURN_RATE_1H})", "promql"),
        "Find the share of the error budget that is left:",
        code(f"sort({series_names.BUDGET_REMAINING})", "promql"),
        "## What to do",
        "\n".join(f"{number}. {step}" for number, step in enumerate(_STEPS, 1)),
        "On the SLO dashboard, an exemplar leads to the trace of a bad request, and the trace id "
        "to the log lines. The alert ends by itself when the short window is within the limit.",
        silencing(OF_SLO),
        "## All SLOs",
        slo_index(catalog),
    )

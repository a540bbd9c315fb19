"""Runbooks of alerts about the state of an SLO: budget exhausted, no events, no data."""

from __future__ import annotations

from typing import Final

from otel_meta.model import Catalog
from otel_meta.model.self_metrics import FAULTS
from otel_meta.model.slo.objective import LEAST_COVERAGE
from otel_meta.render.rules import series_names
from otel_meta.render.rules.promql_builder import number

from . import runbook_queries
from .markdown import code, page
from .operator_commands import OF_SLO, silencing
from .slo_section import slo_index

_SOURCE: Final = "otel_meta/render/docs/state_runbooks.py"
_SPENT: Final = f"{series_names.BUDGET_REMAINING} <= 0"


def exhausted_runbook(catalog: Catalog) -> str:
    """Return the page about exhausted error budgets."""
    return page(
        "SloErrorBudgetExhausted",
        _SOURCE,
        "**Meaning.** The error budget is exhausted: over the whole period, the share of good "
        "events is below the objective. The alert pages while the failures go on, and is a "
        "ticket afterwards: the SLO is not met until enough bad events are older than the period.",
        "## First steps",
        "Find the services without any error budget left. At -1, the budget is spent twice:",
        code(_SPENT, "promql"),
        "Is the budget still burning? Above 1, the service spends more than the budget allows:",
        code(f"{series_names.BURN_RATE_1H} and {_SPENT}", "promql"),
        "When did the failures happen? Bad events by hour over the last week (as a graph):",
        code(f"{series_names.BAD_CUMULATIVE} - {series_names.BAD_CUMULATIVE} offset 1h", "promql"),
        "Which share of the period has data? A young service has few events, so that a few "
        f"failures exhaust the budget; below {number(LEAST_COVERAGE)} the alert never pages:",
        code(series_names.COVERAGE, "promql"),
        "## Actions",
        "**Still burning:** follow the section of the SLO, to which the alert and the table below "
        "link.",
        "**Not burning:** nothing has to be done at night. Stop risky changes of the service until "
        "budget is left again, and give priority to the cause. If users do not need this "
        "objective, change the objective in the catalogue and record the reason.",
        silencing(OF_SLO),
        "## All SLOs",
        slo_index(catalog),
    )


def no_data_runbook(catalog: Catalog) -> str:
    """Return the page about SLOs without events or without data."""
    return page(
        "SloNoEvents, SloNoData",
        _SOURCE,
        "**Meaning.** Nobody knows if the SLO is met.",
        "## First steps",
        "When were there events last? Minutes since the last events of each SLO:",
        code(runbook_queries.minutes_without_events(), "promql"),
        "Does the service report? The number of its processes:",
        code(f"count by (service_namespace, service_name) ({series_names.UP})", "promql"),
        "Which targets cannot be scraped?",
        code("up == 0", "promql"),
        "## SloNoEvents",
        "The service reports, and the SLO has no events, where a week ago there were some at this "
        "time. Call the service as a user would. If the call works, the callers have stopped: ask "
        "their owners, and look at load balancers, queues and schedules between the callers and "
        "the service.",
        silencing(f'alertname="SloNoEvents" {OF_SLO}'),
        "## SloNoData",
        "The series of this week are gone: the service, or its telemetry. Check the process with "
        "`/healthz`. If the process answers, its telemetry does not arrive: the log of the process "
        f'has a line that begins with "cannot export", and `{FAULTS.prometheus_name}` on its '
        "/metrics counts the reasons. A histogram that has lost the bucket at the bound of a "
        "latency SLO has no data either: compare the buckets of the service with the catalogue.",
        "**Service removed:** silence the alert for a week. Then the alert ends.",
        silencing(f'alertname="SloNoData" {OF_SLO}'),
        "## All SLOs",
        "The section of the SLO names its metrics and its owner.",
        slo_index(catalog),
    )

"""The section of an SLO in a runbook, to which every alert about the SLO links.

Its parts have the order of the questions of the person who is called: does it go on, how long does
the error budget last, what fails, what to do, whom to call, how to silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlencode

from otel_meta.model import Catalog, MetaRepo, Slo
from otel_meta.model.identity import NAMESPACE
from otel_meta.render.options import Options
from otel_meta.render.rules.promql_builder import number
from otel_meta.status.slo_links import SLO_DASHBOARD, is_address, variable_of

from . import operator_commands, runbook_queries
from .events_text import counted_text
from .markdown import code, code_span, folded, literal, table

_STOP: Final = "slo-burn.md#what-to-do"
_NO_STEPS: Final = (
    "The declaration of the SLO names no causes. Look for a change at the time when the failures "
    "began, and for the label values with the most bad events."
)


def slo_section(repo: type[MetaRepo], slo: Slo, options: Options) -> Iterator[str]:
    """Yield the parts of the section."""
    yield f"## {slo.name}"
    yield f"{counted_text(slo)} {literal(slo.why)}"
    yield (
        f"Dashboard: {_dashboard(repo, slo, options)}. The commands read the `service_name` of the "
        "notification; set it first: `SERVICE=...`"
    )
    yield from _going_on(slo)
    yield from _left(slo)
    yield from _failing_part(repo, slo, options)
    yield f"**What to do?** {_first_steps(slo)}"
    yield (
        f"To stop the failures before their cause is known: [undo the last change, take load off, "
        f"add capacity, switch the part off]({_STOP})."
    )
    yield f"**Whom to call?** {whom_to_call(repo)}"
    yield (
        "**How to silence it?** For two hours, all alerts about this SLO of the service "
        f"({operator_commands.PLACES}):"
    )
    yield operator_commands.silence_command(f'slo="{slo.name}" {operator_commands.OF_SERVICE}')
    yield _thresholds(slo, options)


def whom_to_call(repo: type[MetaRepo]) -> str:
    """Return the owner of a meta-repository, and the way to a person."""
    return f"The owner is {repo.owner}. {literal(repo.escalation)}".rstrip()


def slo_index(catalog: Catalog) -> str:
    """Return a table of all SLOs, with links to their sections."""
    rows = (
        [
            f"[{slo.name}]({repo.name}.md#{slo.name})",
            str(slo.objective),
            str(slo.period),
            repo.owner,
        ]
        for repo in catalog
        for slo in repo.slos.values()
    )
    return table(["SLO", "objective", "period", "owner"], rows)


def _going_on(slo: Slo) -> Iterator[str]:
    yield (
        "**Is it real, and does it go on?** The burn rate of the last five minutes. Above 1, the "
        "service fails more than the objective allows; below, the failures have ended:"
    )
    yield code(runbook_queries.burn_rate_now(slo), "promql")
    yield "For how many minutes? Without a result: not now, or for longer than a day."
    yield code(runbook_queries.minutes_of_burning(slo), "promql")
    yield (
        "Without a burn rate, the service has no events. Minutes since the last events (then see "
        "[no data](slo-no-data.md)):"
    )
    yield code(runbook_queries.minutes_without_events(slo), "promql")


def _left(slo: Slo) -> Iterator[str]:
    yield (
        "**How bad is it, and how long is left?** The share of the error budget that is left; "
        "below 0, the SLO is not met ([error budget exhausted](slo-budget-exhausted.md)):"
    )
    yield code(runbook_queries.budget_left(slo), "promql")
    yield "Hours until the rest of the error budget is spent, at the burn rate of the last hour:"
    yield code(runbook_queries.hours_left(slo), "promql")
    yield "What else fails? The state of every SLO of the service, with its budget and burn rates:"
    yield operator_commands.service_command()


def _failing_part(repo: type[MetaRepo], slo: Slo, options: Options) -> Iterator[str]:
    yield (
        "**What fails?** The label values with more bad events than their share, and traces of "
        "bad events:"
    )
    yield operator_commands.explain_command(slo.name, runbook_queries.span_of(slo))
    for bad in runbook_queries.bad_events(repo, slo, options):
        if not bad.by_instance:
            yield "In PromQL, the series outside the bound now:"
            yield code(bad.by_labels, "promql")
            continue
        of = f"In PromQL, the bad events of `{bad.metric}` in {runbook_queries.span_of(slo)}"
        yield f"{of}, by label:"
        yield code(bad.by_labels, "promql")
        yield "Is it one instance?"
        yield code(bad.by_instance, "promql")


def _first_steps(slo: Slo) -> str:
    text = literal(slo.first_steps) or _NO_STEPS
    return f"\n\n{text}" if "\n" in text else text


def _dashboard(repo: type[MetaRepo], slo: Slo, options: Options) -> str:
    chosen = urlencode({f"var-{variable_of(NAMESPACE)}": repo.name, "var-slo": slo.name})
    address = f"{options.links.dashboards}/{SLO_DASHBOARD}?{chosen}"
    return f"[{SLO_DASHBOARD}]({address})" if is_address(address) else code_span(address)


def _thresholds(slo: Slo, options: Options) -> str:
    rows = (
        [
            options.severities[window.severity],
            f"{number(100 * window.limit(slo.period, slo.objective.budget))}%",
            number(window.burn_rate(slo.period)),
            f"{window.long} and {window.short}",
        ]
        for window in slo.burn_windows
    )
    what = "bad events" if slo.sli.unit == "events" else "bad seconds"
    title = f"Thresholds, with at least {slo.min_bad_events} {what} in the longer window"
    return folded(title, ["severity", "share of bad events above", "burn rate", "windows"], rows)

"""The report of ``otel-meta budget``: the declaration, outages, services and the recorded past."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from otel_meta.cli.slo.status_table import StatusTable
from otel_meta.cli.slo.status_texts import NO_VALUE, count_text, percent_text, time_text

from .budget_json import AlertJson, BudgetJson, OutageJson, ServiceBudgetJson
from .budget_replay import ReplayJson

SOURCE: Final = (
    "Constant traffic, no bad events before. Add up to a minute and a half for export, scrape and "
    'evaluation. Formulas: Google, "The Site Reliability Workbook", chapter 5, '
    "https://sre.google/workbook/alerting-on-slos/"
)


def budget_report(budget: BudgetJson) -> Iterator[RenderableType]:
    """Yield the parts of the report."""
    yield from _declaration(budget)
    yield _windows(budget)
    for each in budget["budgets"]:
        yield from _service(budget, each)
    yield Text(SOURCE, "dim")
    if budget["statuses"]:
        yield Text()
        yield StatusTable(budget["statuses"])
    for past in budget.get("replay", ()):
        yield from _replay(budget, past)


def _declaration(budget: BudgetJson) -> Iterator[Text]:
    noun = "time" if budget["unit"] == "seconds" else "events"
    yield Text(budget["name"], "bold")
    yield Text(f"{budget['why']} Owner: {budget['owner']}, {budget['repo']}.")
    yield Text()
    yield Text(budget["counted"])
    yield Text("Bad events of the last hour, by service:")
    yield Text(_indented(budget["bad_query"]))
    yield Text()
    share = percent_text(budget["error_budget"], _decimals(budget["error_budget"]))
    yield Text(f"Error budget: {share} of the {noun} of {budget['period']} may be bad.")
    yield Text()


def _windows(budget: BudgetJson) -> Table:
    headings = ("ALERT", "WINDOWS", "BURN RATE ABOVE", "BAD ABOVE", "BUDGET SPENT")
    rows = (
        (
            window["severity"],
            f"{window['long']} and {window['short']}",
            f"{window['burn_rate']:.4g}",
            percent_text(window["bad_share"], _decimals(window["bad_share"])),
            percent_text(window["budget_spent"]),
        )
        for window in budget["windows"]
    )
    return _table(headings, rows, numbers=3)


def _service(budget: BudgetJson, each: ServiceBudgetJson) -> Iterator[RenderableType]:
    yield Text()
    yield Text(_left(budget, each))
    yield Text()
    headings = ("OUTAGE", "BUDGET LASTS", "LEFT LASTS", "ALERT", "FIRES AFTER", "BUDGET SPENT")
    yield _table(headings, _outages(budget, each["outages"]), numbers=0)


def _left(budget: BudgetJson, each: ServiceBudgetJson) -> str:
    service = each["service"].get("service_name", "Any service")
    left = f"{service}: {percent_text(each['budget_left'])} of the error budget left"
    if each["events"] is None:
        server = "" if budget["statuses"] else " or --prometheus URL"
        return f"{left}. The traffic of a period is not known; give --events N{server} for counts."
    known, unit = each["bad_events_left"] or 0, budget["unit"]
    allowed = count_text(each["bad_events_allowed"] or 0, unit)
    of = f"at {count_text(each['events'], unit)} in {budget['period']}, {allowed} may be bad"
    return f"{left}; {of}, {count_text(max(known, 0), unit)} more from now on."


def _outages(budget: BudgetJson, outages: Iterable[OutageJson]) -> Iterator[Sequence[str]]:
    for outage in outages:
        first = (
            f"{percent_text(outage['bad_share'], 0)} bad",
            time_text(outage["budget_lasts_seconds"]),
            time_text(outage["left_lasts_seconds"]),
        )
        for number, alert in enumerate(outage["alerts"]):
            yield (*(("", "", "") if number else first), *_alert(budget, alert))
        if not outage["alerts"]:
            yield (*first, "none", NO_VALUE, NO_VALUE)


def _alert(budget: BudgetJson, alert: AlertJson) -> tuple[str, str, str]:
    name = f"{alert['severity']} {alert['long']}/{alert['short']}"
    if alert["fires_after_seconds"] is None:
        return name, f"never: {_obstacle(budget, alert)}", NO_VALUE
    return name, time_text(alert["fires_after_seconds"]), percent_text(alert["budget_spent"])


def _obstacle(budget: BudgetJson, alert: AlertJson) -> str:
    if alert["obstacle"] == "too few bad events":
        least = count_text(budget["min_bad_events"], budget["unit"])
        return f"fewer than {least} bad in {alert['long']}"
    window = next(
        window
        for window in budget["windows"]
        if (window["long"], window["short"]) == (alert["long"], alert["short"])
    )
    return f"not above {percent_text(window['bad_share'], _decimals(window['bad_share']))}"


def _replay(budget: BudgetJson, past: ReplayJson) -> Iterator[RenderableType]:
    service = past["service"].get("service_name", "")
    total, bad = (count_text(past[key], budget["unit"]) for key in ("total", "bad"))
    yield Text()
    yield Text(
        f"{service}: the recorded {time_text(past['recorded_minutes'] * 60)} of the last "
        f"{budget['period']}, {bad} of {total} bad"
    )
    yield Text()
    headings = ("OBJECTIVE", "BUDGET LEFT", "ALERT", "FIRED", "TIMES")
    yield _table(headings, _replayed(past), numbers=0)


def _replayed(past: ReplayJson) -> Iterator[Sequence[str]]:
    for each in past["objectives"]:
        first = (each["objective"], percent_text(each["budget_left"]))
        for number, alert in enumerate(each["alerts"]):
            yield (
                *(("", "") if number else first),
                f"{alert['severity']} {alert['long']}/{alert['short']}",
                f"{alert['minutes']} min",
                str(alert["times"]),
            )


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], numbers: int) -> Table:
    """Return a table whose last columns, so many, are aligned to the right."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    for position, heading in enumerate(headings):
        is_number = position >= len(headings) - numbers
        table.add_column(heading, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _decimals(share: float) -> int:
    """Return the number of decimals that a percentage needs, at most six."""
    return len(f"{share * 100:.6f}".rstrip("0").partition(".")[2])


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())

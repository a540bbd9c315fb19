"""An SLO on the page: one line with the answer, and the details below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from otel_meta.model.slo.burn import BURN_RATE_SPAN
from otel_meta.status.slo_links import is_address
from otel_meta.status.status_json import BurningJson, StatusJson

from . import words
from .charts import budget_bar, burn_down
from .markup import Content, Markup, element, unique_id

_LINKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "runbook": "Runbook",
        "dashboard": "Dashboard",
        "traces": "Traces of bad events",
        "logs": "Log lines of bad events",
    }
)


def slo_entry(row: StatusJson, *, is_open: bool = False) -> Markup:
    """Return the element of an SLO, with its details open or closed at first."""
    key = entry_id(row)
    return element(
        "details",
        element(
            "summary",
            icon(row["state"]),
            element("span", words.STATES[row["state"]], class_="state"),
            element("h3", row["name"]),
            element("span", _about(row), class_="place"),
            element("span", budget_bar(row), words.budget_left(row), class_="budget"),
            element("span", _burn_now(row), class_="burn"),
            element("span", words.end_of_budget(row), class_="end"),
        ),
        element("div", *_details(row, key), class_="more"),
        id=key,
        class_=f"slo {row['state']}",
        open=is_open,
        data_state=row["state"],
        data_text=" ".join((row["name"], row["repo"], row["owner"], *row["service"].values())),
    )


def entry_id(row: StatusJson) -> str:
    """Return an id that stays the same while the status changes."""
    return unique_id("slo", row["name"], row["repo"], *sorted(map(str, row["service"].items())))


def icon(state: str) -> Markup:
    """Return the icon of a state; the word beside the icon says the same."""
    return element("svg", element("use", href=f"#icon-{state}"), class_="icon", aria_hidden="true")


def _about(row: StatusJson) -> str:
    """Return the place, and the part of the period with data if a breach needs more."""
    is_short = row["coverage"] < row["required_coverage"]
    parts = (words.place(row), f"{words.seen(row)} seen" if is_short else "")
    return ", ".join(filter(None, parts))


def _burn_now(row: StatusJson) -> str:
    span = str(BURN_RATE_SPAN)
    rate = row["burn_rates"].get(span)
    if rate is None:
        return f"no events in {words.period(span)}"
    return f"burns {words.times(rate)}"


def _details(row: StatusJson, key: str) -> Iterator[Content]:
    yield element("p", row["why"], class_="why")
    yield _links(row)
    yield element("dl", *_facts(row), class_="facts")
    yield element("div", burn_down(row, key), _burn_rates(row), class_="charts")


def _facts(row: StatusJson) -> Iterator[Markup]:
    objective = f"{words.spaced(row['objective'])} of {row['noun']}"
    facts: tuple[tuple[str, Content], ...] = (
        ("Alerts now", _alerts(row)),
        ("Objective", f"{objective} good over {words.period(row['period'])}"),
        ("Good event", element("code", row["good_event"])),
        ("Good", words.good_share(row)),
        ("Bad", words.bad_events(row)),
        ("Seen", words.seen(row)),
        ("Excluded", _excluded(row)),
        ("Owner", row["owner"] or None),
        ("Service", words.place(row) or None),
    )
    for term, description in facts:
        if description is not None:
            yield element("div", element("dt", term), element("dd", description))


def _alerts(row: StatusJson) -> Content:
    """Return the firing alerts, and the burn windows whose condition is true."""
    firing = [f"{alert['name']} fires ({alert['severity']})" for alert in row["firing"]]
    burning = [_window(window) for window in row["burning"]]
    lines = [element("li", text) for text in (*firing, *burning)]
    return element("ul", *lines) if lines else "no burn window is above its limit"


def _window(window: BurningJson) -> str:
    spans = f"{words.period(window['long'])} and {words.period(window['short'])}"
    return f"{window['severity']}: above {words.times(window['above'])} over {spans}"


def _excluded(row: StatusJson) -> Content:
    text = words.excluded_events(row)
    return None if text is None else element("a", text, href="#corrections")


def _burn_rates(row: StatusJson) -> Markup:
    """Return a table of the burn rates: a rate of 1 spends the budget in exactly one period."""
    hot = {span for window in row["burning"] for span in (window["long"], window["short"])}
    cells = [
        element(
            "tr",
            element("th", words.period(span), scope="row"),
            element("td", words.times(rate), ", above the limit" if span in hot else None),
            class_="hot" if span in hot else None,
        )
        for span, rate in row["burn_rates"].items()
    ]
    head = element(
        "tr", element("th", "Over", scope="col"), element("th", "Burn rate", scope="col")
    )
    return element(
        "table",
        element("caption", f"Burn rates: {words.times(1)} spends the budget in one period"),
        element("thead", head),
        element("tbody", *cells),
    )


def _links(row: StatusJson) -> Markup | None:
    """Return the links of an SLO; an address of another scheme than HTTP is no link."""
    given = row.get("links", {})
    links = [
        element("li", element("a", text, href=given[name]))
        for name, text in _LINKS.items()
        if is_address(given.get(name, ""))
    ]
    return element("ul", *links, class_="links") if links else None

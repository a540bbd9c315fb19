"""The page of SLOs: the SLOs in danger, the budget left, and the end of the budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from otel_meta.model.slo.correction import Correction
from otel_meta.status.status_json import StatusJson

from . import words
from .assets import script, style
from .markup import Content, Markup, element, unique_id
from .ordering import grouped
from .page_context import PageContext
from .slo_entry import icon, slo_entry

_ICONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "breached": "M5 1h6l4 4v6l-4 4H5l-4-4V5zM5 5l6 6M11 5l-6 6",
        "at_risk": "M8 1.5 15 14H1zM8 6v4M8 11.6v.8",
        "no_data": "M8 1a7 7 0 1 0 0 14A7 7 0 1 0 8 1M6 6.2a2 2 0 1 1 2 2.2v1M8 11.2v.8",
        "ok": "M8 1a7 7 0 1 0 0 14A7 7 0 1 0 8 1M4.6 8.2l2.4 2.4 4.4-5",
    }
)
_TOTALS: Final[Mapping[str, str]] = MappingProxyType(
    {"breached": "breached", "at_risk": "at risk", "no_data": "without data", "ok": "ok"}
)
_ALL_STATES: Final = "all states"
_IN_DANGER: Final = frozenset({"breached", "at_risk"})
_MOST_OPEN: Final = 3
"""Up to this many SLOs in danger have their details open; more would hide the list."""


def render_page(rows: Sequence[StatusJson], context: PageContext) -> str:
    """Return the page as a complete document, which needs no other file."""
    document = element(
        "html",
        element("head", *_head(rows, context)),
        element("body", *_body(rows, context)),
        lang="en",
        data_refresh=context.refresh,
    )
    return f"<!doctype html>\n{document}\n"


def _head(rows: Sequence[StatusJson], context: PageContext) -> Iterator[Markup]:
    yield element("meta", charset="utf-8")
    yield element("meta", name="viewport", content="width=device-width, initial-scale=1")
    yield element("meta", name="color-scheme", content="light dark")
    yield element("title", f"{_totals_text(rows)} | {context.title}")
    yield element("link", rel="icon", href="data:,")
    yield element("style", Markup(style()))
    refresh = element("meta", http_equiv="refresh", content=str(context.refresh))
    yield element("noscript", refresh)


def _body(rows: Sequence[StatusJson], context: PageContext) -> Iterator[Markup]:
    shapes = [
        element("symbol", element("path", d=path), id=f"icon-{state}", viewBox="0 0 16 16")
        for state, path in _ICONS.items()
    ]
    yield element("svg", *shapes, class_="shapes", aria_hidden="true")
    yield element("header", *_header(context))
    yield element(
        "main",
        *_main(rows, context),
        id="content",
        data_age=max(round(context.now - context.measured_at), 0),
    )
    yield element("script", Markup(script()))


def _header(context: PageContext) -> Iterator[Markup | None]:
    yield element("h1", context.title)
    place = ", ".join(filter(None, context.place.values()))
    yield element("p", place, class_="place") if place else None
    yield element(
        "p",
        element("span", "State of ", _moment(context.measured_at), id="age"),
        element("button", "Pause", id="pause", type="button", hidden=True),
        class_="clock",
    )
    yield _filter()
    yield element("p", id="trouble", role="alert")
    yield element("p", id="news", role="status", class_="unseen-text")


def _filter() -> Markup:
    """Return the filter, which the script shows."""
    states = [element("option", words.STATES[key], value=key) for key in words.STATES]
    return element(
        "form",
        element("label", "Find ", element("input", type="search", name="find")),
        element(
            "label",
            "State ",
            element("select", element("option", _ALL_STATES, value=""), *states, name="state"),
        ),
        element("output", id="shown"),
        id="filter",
        role="search",
        hidden=True,
    )


def _main(rows: Sequence[StatusJson], context: PageContext) -> Iterator[Content]:
    if context.problem:
        age = words.duration(max(context.now - context.measured_at, 0.0))
        yield element("p", f"{context.problem} The state is {age} old.", class_="problem")
    last_known = element("span", "Last known state:") if context.problem and rows else None
    yield element("p", last_known, *_totals(rows), id="totals", class_="totals")
    if not rows and context.hint:
        yield element("p", _sentence(context.hint), class_="hint")
    in_danger = [row for row in rows if row["state"] in _IN_DANGER]
    opened = in_danger if len(in_danger) <= _MOST_OPEN else ()
    for repo, members in grouped(rows):
        yield _group(repo, members, opened)
    if context.corrections:
        yield _corrections(context.corrections)


def _sentence(hint: str) -> str:
    return f"{hint[:1].upper()}{hint[1:]}."


def _totals(rows: Sequence[StatusJson]) -> Iterator[Content]:
    if not rows:
        yield "No SLOs"
    for state, number in _counted(rows):
        yield element("span", icon(state), f"{number} {_TOTALS[state]}", class_=f"total {state}")


def _totals_text(rows: Sequence[StatusJson]) -> str:
    counted = [f"{number} {_TOTALS[state]}" for state, number in _counted(rows)]
    return ", ".join(counted) or "No SLOs"


def _counted(rows: Sequence[StatusJson]) -> list[tuple[str, int]]:
    numbers = Counter(row["state"] for row in rows)
    return [(state, numbers[state]) for state in words.STATES if numbers[state]]


def _group(repo: str, rows: Sequence[StatusJson], opened: Sequence[StatusJson]) -> Markup:
    key = unique_id("repo", repo)
    owners = ", ".join(dict.fromkeys(row["owner"] for row in rows if row["owner"]))
    return element(
        "section",
        element(
            "h2",
            repo,
            element("span", f" {owners}", class_="owner") if owners else None,
            id=f"{key}-name",
        ),
        *(slo_entry(row, is_open=row in opened) for row in rows),
        id=key,
        aria_labelledby=f"{key}-name",
    )


def _corrections(corrections: Sequence[Correction]) -> Markup:
    """Return the list of the times whose events do not count."""
    return element(
        "section",
        element("h2", "Corrections", id="corrections"),
        element("p", "Events of these times count neither as good nor as bad."),
        element("ul", *map(_correction, corrections)),
        aria_labelledby="corrections",
        class_="corrections",
    )


def _correction(correction: Correction) -> Markup:
    about = [*correction.slos, *(f"{k}={v}" for k, v in correction.service.items())]
    begin, end = _moment(correction.begin.timestamp()), _moment(correction.end.timestamp())
    return element(
        "li",
        element("strong", correction.reason),
        element("span", correction.kind, " from ", begin, " to ", end),
        element("span", ", ".join(about) or "all SLOs"),
    )


def _moment(seconds: float) -> Markup:
    moment = datetime.fromtimestamp(seconds, UTC)
    text = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    return element("time", text, datetime=moment.strftime("%Y-%m-%dT%H:%M:%SZ"))

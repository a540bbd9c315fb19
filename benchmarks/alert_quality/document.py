"""The page docs/alert-quality.md."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from alert_quality import tables
from alert_quality.contenders import ROOT
from alert_quality.cost import PODS
from alert_quality.scenario import Scenario
from alert_quality.slices import INTERVALS, PHASES, SliceCheck
from alert_quality.tables import Row, Verdicts

PATH: Final = ROOT / "docs" / "alert-quality.md"
REASONS: Final = Path(__file__).with_name("reasons.toml")

_HEAD: Final = """\
# Alert quality

The output of `make alert-quality`. Services are simulated event by event, second by second. What a
scraper would have seen of them goes into Prometheus' own storage, and Prometheus' own rule groups
are evaluated over it on simulated time (`tools/rule_engine`), each at its own offset within the
minute. The oracle (`benchmarks/alert_quality/truth.py`) knows every event and imports nothing of
otel_meta.

An *incident* is a span in which the exact policy pages: with every event known, once a minute, the
error budget burns faster than 14.4 over 1 h and 5 min, or faster than 6 over 6 h and 30 min, with
at least three bad events; pauses below half an hour are part of an incident. An incident is *found*
by a page between two minutes before its start and 15 minutes after its end. A *page* is every alert
with the severity page or critical, whatever its name. The compared rules are those that
[Sloth](https://github.com/slok/sloth) 0.16.0 and [Pyrra](https://github.com/pyrra-dev/pyrra) 0.10.1
generate for the same SLO, and plain thresholds: the ratio of the period above the budget, ten times
the budget over 1 h and over 5 min, each for 5 min.
"""


def document(
    scenarios: Sequence[Scenario],
    verdicts: Verdicts,
    costs: Mapping[int, Sequence[float]],
    slices: Iterable[SliceCheck],
) -> tuple[str, list[str]]:
    """Return the page, and the rows in which otel_meta is behind without a reason."""
    pages = list(tables.page_rows(verdicts))
    outages = list(tables.outage_rows(verdicts))
    told = list(tables.budget_rows(verdicts, can_be_counted=True))
    untold = list(tables.budget_rows(verdicts, can_be_counted=False))
    cost = [
        Row(title=f"{pods} {'pod' if pods == 1 else 'pods'}", values=tuple(costs[pods]), digits=0)
        for pods in PODS
    ]
    parts = {"Pages": pages, "Outages": outages, "Budgets": told, "Samples": cost}
    reasons, missing = _reasons(parts)
    text = "\n".join(
        [
            _HEAD,
            _part("Pages", tables.numbers("", pages)),
            _part("Missed incidents", _lists("missed", tables.missed_rows(verdicts))),
            _part("False pages", _lists("pages", tables.false_rows(verdicts))),
            _part("Total outages", _OUTAGES, tables.numbers("outage", outages)),
            _part("Budgets", _BUDGETS, tables.numbers("scenario", told)),
            _part("Budgets that counters cannot tell", _UNTOLD, tables.numbers("scenario", untold)),
            _part("Samples read", _SAMPLES, tables.numbers("", cost)),
            _part("Time slices", _SLICES, _slice_table(slices)),
            _part("Where otel_meta is behind", reasons),
            _part("Scenarios", tables.table(["scenario", "story"], _stories(scenarios))),
        ]
    )
    return text, missing


_OUTAGES: Final = """\
Minutes from the start of an outage, in which every event is bad, to the first page. The rules
are evaluated once a minute, and a scrape interval passes before a failure is seen.
"""
_BUDGETS: Final = """\
The largest error of the error budget that is left, at some moments of a scenario, ten minutes
after a fault or later. Numbers are points: 100 points are the whole budget.
"""
_UNTOLD: Final = """\
The same for services whose counters do not have all events: callers were refused by a dead
service, or series began with their first error, which `increase()` does not see.
"""
_SAMPLES: Final = """\
Samples that all rules of one SLO over 30 days read each minute, after a month of history. A pod
has two series, scraped each 15 s.
"""
_SLICES: Final = f"""\
The share of bad time of a gauge that the rules say at the end of ten hours, beside the true share,
as lowest and highest of {PHASES} phases of the scrapes; in percent. A course whose period is a
multiple of the scrape interval cannot be known from its samples.
"""


def _part(title: str, *texts: str) -> str:
    return "\n".join([f"## {title}\n", *texts])


def _lists(title: str, rows: Iterable[list[str]]) -> str:
    return tables.table(["tool", title], rows)


def _stories(scenarios: Iterable[Scenario]) -> Iterable[list[str]]:
    return ([one.name, one.story] for one in scenarios)


def _slice_table(checks: Iterable[SliceCheck]) -> str:
    rows: dict[str, list[str]] = {}
    for one in checks:
        said = [value for value in one.said if value is not None]
        text = f"{100 * min(said):.2f} to {100 * max(said):.2f}" if said else tables.NONE
        rows.setdefault(one.course, [one.course, f"{100 * one.true:.2f}"]).append(text)
    head = ["course", "true", *(f"scraped each {interval} s" for interval in INTERVALS)]
    return tables.table(head, rows.values())


def _reasons(parts: Mapping[str, Sequence[Row]]) -> tuple[str, list[str]]:
    known: dict[str, dict[str, str]] = tomllib.loads(REASONS.read_text())
    lines: list[list[str]] = []
    missing: list[str] = []
    for part, rows in parts.items():
        for row in rows:
            if not row.is_behind:
                continue
            reason = known.get(part, {}).get(row.title) or known.get(part, {}).get("*")
            if reason is None:
                missing.append(f"{part}: {row.title}")
            lines.append([part, row.title, reason or "not known"])
    if not lines:
        return "Nowhere.\n", missing
    return tables.table(["table", "row", "reason"], lines), missing

"""The columns of the table of statuses, and the order in which a narrow terminal loses them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from rich.text import Text

from otel_meta.status.status_json import StatusJson

from . import status_texts as texts
from .terminal_marks import Marks

_BAR: Final = 8
_LINE: Final = 12
"""Cells of a bar and of a line."""

STYLES: Final[Mapping[str, str]] = {
    "ok": "green",
    "at_risk": "yellow",
    "breached": "bold red",
    "no_data": "magenta",
}
"""The colour of each state; an icon and a word say the same."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table.

    Args:
        heading: its name.
        cell: returns the content for a status.
        lost: the place in the order in which a narrow terminal loses columns; 0 for a column that
            every terminal keeps.
        is_number: whether the cells are aligned to the right.
        is_folded: whether a long text may continue on the next line.
    """

    heading: str
    cell: Callable[[StatusJson, Marks], Text]
    lost: int = 0
    is_number: bool = False
    is_folded: bool = False


def _plain(text: Callable[[StatusJson], str]) -> Callable[[StatusJson, Marks], Text]:
    return lambda row, _: Text(text(row))


def _state(row: StatusJson, marks: Marks) -> Text:
    state = row["state"]
    return Text(f"{marks.icons.get(state, '?')} {state}", STYLES.get(state, ""))


def _budget(row: StatusJson, marks: Marks) -> Text:
    left = row["budget_left"]
    bar = marks.bar(left or 0.0, _BAR)
    return Text(f"{bar} {texts.percent_text(left):>7}", STYLES.get(row["state"], ""))


def _burn_down(row: StatusJson, marks: Marks) -> Text:
    line = marks.line([left for _, left in row["burn_down"]], _LINE)
    return Text(line or texts.NO_VALUE, STYLES.get(row["state"], ""))


def _burn(lookback: str) -> Callable[[StatusJson], str]:
    return lambda row: texts.rate_text(row["burn_rates"].get(lookback))


COLUMNS: Final = (
    Column(heading="META-REPOSITORY", cell=_plain(lambda row: row["repo"]), lost=1),
    Column(heading="SERVICE", cell=_plain(texts.service_text), is_folded=True),
    Column(heading="SLO", cell=_plain(lambda row: row["name"]), is_folded=True),
    Column(
        heading="OBJECTIVE",
        cell=_plain(lambda row: f"{row['objective']} in {row['period']}"),
        lost=4,
    ),
    Column(heading="STATE", cell=_state),
    Column(
        heading="EVENTS",
        cell=_plain(lambda row: texts.count_text(row["total"], row["unit"])),
        lost=7,
        is_number=True,
    ),
    Column(
        heading="BAD",
        cell=_plain(lambda row: texts.count_text(row["bad"], row["unit"])),
        lost=8,
        is_number=True,
    ),
    Column(heading="BUDGET LEFT", cell=_budget),
    Column(heading="BURN 5m", cell=_plain(_burn("5m")), lost=5, is_number=True),
    Column(heading="BURN 1h", cell=_plain(_burn("1h")), lost=9, is_number=True),
    Column(
        heading="FASTEST",
        cell=_plain(lambda row: texts.fastest_text(row["burn_rates"])),
        lost=6,
        is_number=True,
    ),
    Column(heading="BURN-DOWN", cell=_burn_down, lost=3),
    Column(heading="GONE IN", cell=_plain(texts.exhausted_text), lost=10, is_number=True),
    Column(
        heading="COVERED",
        cell=_plain(lambda row: texts.percent_text(row["coverage"], 0)),
        lost=2,
        is_number=True,
    ),
)
"""Every column, in the order of the table."""

"""The table of statuses: one row for an SLO of a service, worst first, by meta-repository."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Final

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from otel_meta.status.page.ordering import grouped
from otel_meta.status.status_json import StatusJson

from .selection import service_name
from .status_columns import COLUMNS, Column
from .status_texts import count_text
from .terminal_marks import Marks, marks_for

Cells = Mapping[Column, Sequence[Text]]
"""The cells of each column, from the top."""
_GAP: Final = 2
"""Spaces between two columns: one of padding, and one of the box."""


class StatusTable:
    """The table, as wide as its console allows."""

    def __init__(self, rows: Iterable[StatusJson]) -> None:
        self._groups: Final = [group for _, group in grouped(rows)]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table, and the notes below it."""
        cells = self._cells(marks_for(options.encoding))
        yield self._table(_fitting(cells, options.max_width))
        yield from map(Text, excluded_notes(chain.from_iterable(self._groups)))

    def _cells(self, marks: Marks) -> Cells:
        rows = [*chain.from_iterable(self._groups)]
        return {column: [column.cell(row, marks) for row in rows] for column in COLUMNS}

    def _table(self, cells: Cells) -> Table:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
        for column in cells:
            table.add_column(
                column.heading,
                justify="right" if column.is_number else "left",
                no_wrap=not column.is_folded,
                overflow="fold",
            )
        rows = zip(*cells.values(), strict=True)
        for group in self._groups:
            for row in islice(rows, len(group)):
                table.add_row(*row)
            table.add_section()
        return table


def excluded_notes(rows: Iterable[StatusJson]) -> Iterator[str]:
    """Yield a line for each SLO of which corrections exclude events."""
    for row in rows:
        if row["excluded_total"]:
            bad, total = (
                count_text(number, row["unit"])
                for number in (row["excluded_bad"], row["excluded_total"])
            )
            yield (
                f"{service_name(row)} {row['name']}: corrections exclude {total}, {bad} of them bad"
            )


def _fitting(cells: Cells, width: int) -> Cells:
    """Return the columns that fit into a width, in their order."""
    kept = dict(cells)
    for column in sorted((each for each in cells if each.lost), key=lambda each: each.lost):
        if sum(_width(*each) + _GAP for each in kept.items()) - _GAP <= width:
            break
        del kept[column]
    return kept


def _width(column: Column, cells: Sequence[Text]) -> int:
    return max([len(column.heading), *(cell.cell_len for cell in cells)])

from __future__ import annotations

import io
from collections.abc import Iterable

import pytest
from rich.console import Console

from otel_meta.cli.slo.status_table import StatusTable
from otel_meta.status.status_json import StatusJson
from tests.cli.slo.status_rows import status_row

WIDE = 400
LOST = [
    "META-REPOSITORY",
    "COVERED",
    "BURN-DOWN",
    "OBJECTIVE",
    "BURN 5m",
    "FASTEST",
    "EVENTS",
    "BAD",
    "BURN 1h",
    "GONE IN",
]
KEPT = ["SERVICE", "SLO", "STATE", "BUDGET LEFT"]


def shown(rows: Iterable[StatusJson], width: int = WIDE, encoding: str = "utf-8") -> list[str]:
    """Return the lines of the table on a terminal."""
    buffer = io.BytesIO()
    file = io.TextIOWrapper(buffer, encoding=encoding, errors="strict")
    Console(file=file, width=width, color_system=None).print(StatusTable(rows))
    file.flush()
    return [line.rstrip() for line in buffer.getvalue().decode(encoding).splitlines()]


def headings(width: int) -> list[str]:
    """Return the headings that fit into a width."""
    first = shown([status_row()], width)[0]
    return [heading for heading in (*LOST, *KEPT) if f" {heading} " in f" {first} "]


class TestStatusTable:
    def test_row_has_every_value(self) -> None:
        """A row has every value of the status, at a width that is large enough."""
        assert " ".join(shown([status_row()])[2].split()) == (
            "titan-microservices-mesh payments titan-service-availability 99.9% in 30d ✓ ok "
            "2,000 1 ████░░░░ 50.0% 0.0 0.6 1.2 (30m) █▆▅ 25 d 100%"
        )

    @pytest.mark.parametrize(
        ("state", "icon"), [("ok", "✓"), ("at_risk", "▲"), ("breached", "✗"), ("no_data", "?")]
    )
    def test_state_is_shown_by_icon_and_word(self, state: str, icon: str) -> None:
        """A state is shown by an icon and a word, so that colour is no need."""
        assert f" {icon} {state} " in shown([status_row(state=state)])[2]

    def test_worst_status_is_first_in_its_group_and_worst_group_first(self) -> None:
        """The groups are meta-repositories; groups and the rows of each are worst first."""
        rows = [
            status_row("a", repo="calm"),
            status_row("b", repo="mixed"),
            status_row("c", repo="mixed", state="breached", budget_left=-0.2),
            status_row("d", repo="late", state="at_risk"),
        ]
        lines = shown(rows)[2:]

        assert [["mixed", "c"], ["mixed", "b"], [], ["late", "d"], [], ["calm", "a"]] == [
            line.split()[:2] for line in lines
        ]

    def test_narrow_terminal_loses_columns_in_the_stated_order(self) -> None:
        """Each narrower terminal has lost the first columns of the stated order."""
        kept = {len(found): found for width in range(40, WIDE) if (found := headings(width))}

        assert [*range(len(KEPT), len(KEPT) + len(LOST) + 1)] == sorted(kept)
        for count, found in kept.items():
            assert [*LOST, *KEPT][-count:] == found

    def test_long_name_is_continued_where_it_does_not_fit(self) -> None:
        """A long name continues on the next line, and no character is lost."""
        name = "a-very-long-name-of-an-slo-which-nobody-can-remember-or-type"
        lines = shown([status_row(name=name, service={"service_name": "x"})], 60)

        begin, end = lines[0].index("SLO"), lines[0].index("STATE")
        assert name == "".join(line[begin:end].strip() for line in lines[2:])
        assert 60 >= max(map(len, lines))

    def test_terminal_without_unicode_gets_ascii(self) -> None:
        """A terminal without Unicode gets marks of ASCII."""
        (row,) = shown([status_row()], encoding="ascii")[2:]

        assert "+ ok" in row
        assert "####....   50.0%" in row

    def test_excluded_events_are_listed_below(self) -> None:
        """The events that corrections exclude are a line below the table."""
        lines = shown([status_row(), status_row("other", excluded_total=40.0, excluded_bad=9.0)])

        assert (
            "other titan-service-availability: corrections exclude 40, 9 of them bad" == lines[-1]
        )
        assert 5 == len(lines)

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.cli.console.plain_table import plain_table

WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=9)
CELLS = st.lists(WORDS, max_size=3).map(" ".join).map(str.strip)
HEADS = st.text("ABCXYZ", min_size=1, max_size=12)


@st.composite
def grids(draw: st.DrawFn) -> list[list[str]]:
    """Headings and rows of the same width."""
    columns = draw(st.integers(1, 6))
    head = draw(st.lists(HEADS, min_size=columns, max_size=columns))
    row = st.lists(CELLS, min_size=columns, max_size=columns)
    return [head, *draw(st.lists(row, max_size=6))]


def columns_of(text: str) -> list[tuple[int, int]]:
    """Return the start and the end of each column, by the dashes."""
    return [found.span() for found in re.finditer("-+", text.split("\n")[1])]


class TestTable:
    @given(grids())
    def test_no_cell_is_lost(self, grid: list[list[str]]) -> None:
        """Each cell is complete below its heading."""
        text = plain_table(grid[0], grid[1:])
        head, _, *rows = text.split("\n")
        columns = columns_of(text)

        assert grid == [
            [line[begin:end].strip() for begin, end in columns] for line in (head, *rows)
        ]

    @given(grids())
    def test_same_columns_in_every_line(self, grid: list[list[str]]) -> None:
        """Every line has the same columns, two spaces apart."""
        text = plain_table(grid[0], grid[1:])
        columns = columns_of(text)
        gaps = [
            line.ljust(columns[-1][1])[end:begin]
            for line in text.split("\n")
            for (_, end), (begin, _) in pairwise(columns)
        ]

        assert {"  "} >= set(gaps)
        assert len(grid[0]) == len(columns)
        assert len(grid) + 1 == len(text.split("\n"))

    @given(grids())
    def test_no_space_at_the_end(self, grid: list[list[str]]) -> None:
        """No line ends in spaces."""
        lines = plain_table(grid[0], grid[1:]).split("\n")

        assert [line.rstrip() for line in lines] == lines

    @pytest.mark.parametrize(
        "cells",
        [["1", "20"], ["99.9%", "5%"], ["-1.5", "-"], ["0 s", "12 s"], ["-133 x", "100.0%"]],
    )
    def test_numbers_to_the_right(self, cells: list[str]) -> None:
        """A column of numbers is aligned to the right."""
        lines = plain_table(["NUMBERS", "WORD"], [[cell, "x"] for cell in cells]).split("\n")

        assert [f"{cell:>7}  x" for cell in cells] == lines[2:]

    @pytest.mark.parametrize("word", ["no_data", "7d", "a1", "1.2.3", "--1", "²", ""])
    def test_words_to_the_left(self, word: str) -> None:
        """A column with a word is aligned to the left."""
        lines = plain_table(["NUMBERS", "WORD"], [["1", "x"], [word, "x"]]).split("\n")

        assert [f"{cell:<7}  x" for cell in ("1", word)] == lines[2:]

    def test_without_rows_table_is_its_headings(self) -> None:
        """Without rows, the table is its headings."""
        assert "A  BC\n-  --" == plain_table(["A", "BC"], [])

    def test_row_shorter_than_headings_is_error(self) -> None:
        """A row shorter than the headings is an error."""
        with pytest.raises(ValueError, match="shorter"):
            plain_table(["A", "B"], [["1"]])

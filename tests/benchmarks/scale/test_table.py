from __future__ import annotations

from pathlib import Path

import pytest
from scale.table import put, shown, table

PAGE = "# A\n\n<!-- measured: one -->\nold\n<!-- end -->\n\n<!-- measured: two -->\n<!-- end -->\n"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Return a document with two pairs of marks."""
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    return path


def test_numbers_are_formatted() -> None:
    """Whole numbers have separators, other numbers two digits, and words are unchanged."""
    text = table(("what", "a", "b"), [("x", 12_345, 0.04567), ("y", 12.34, "n/a")])

    assert ["| what | a | b |", "| --- | --: | --: |"] == text.splitlines()[:2]
    assert ["| x | 12,345 | 0.046 |", "| y | 12.3 | n/a |"] == text.splitlines()[2:]


def test_text_is_replaced_between_its_marks_only(page: Path) -> None:
    """Text replaces the text between its marks only, also when it is put twice."""
    for _ in range(2):
        put(page, "two", "| new |")

    assert "old" == shown(page, "one")
    assert "| new |" == shown(page, "two")
    assert PAGE == page.read_text().replace("| new |\n", "")


def test_document_without_marks_stays_unchanged(page: Path) -> None:
    """A document without the marks stays unchanged."""
    with pytest.raises(ValueError, match="no place for three"):
        put(page, "three", "text")

    assert PAGE == page.read_text()

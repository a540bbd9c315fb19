"""The package and the documents are written in plain English."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prose import PRONOUNS, RELATIVE_WORDS, Text, density, docstrings, paragraphs, texts

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "otel_meta"
DOCUMENTS = (
    ROOT / "docs",
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "collector-config",
    ROOT / "examples",
    ROOT / "stack",
)

MOST_RIDDLES = 0.02
"""Share of docstrings that may begin with a relative word."""

MOST_RELATIVE_WORDS = 3.0
"""Per 100 words. structlog has 1.6."""

MOST_PRONOUNS = 4.5
"""Per 100 words. structlog has 2.8."""

RIDDLE = (
    '''"""What finds none is dropped, and whoever asks for it is told by the one that knows."""'''
)
PLAIN = '''"""When the queue is full, the newest span is dropped and counted."""'''


def _words(*paths: Path) -> list[Text]:
    return [text for text in texts(paths) if text.words]


class TestPackage:
    def test_docstrings_name_their_subjects(self) -> None:
        """At most 2 % of the docstrings begin with a relative word."""
        found = _words(PACKAGE)
        riddles = [text.place for text in found if text.is_riddle]

        assert MOST_RIDDLES >= len(riddles) / len(found), riddles

    def test_docstrings_have_few_relative_words(self) -> None:
        """At most 3 of 100 words in docstrings are relative words."""
        assert MOST_RELATIVE_WORDS >= density(_words(PACKAGE), RELATIVE_WORDS)

    def test_docstrings_have_few_pronouns(self) -> None:
        """At most 4.5 of 100 words in docstrings are pronouns."""
        assert MOST_PRONOUNS >= density(_words(PACKAGE), PRONOUNS)


class TestDocuments:
    def test_documents_have_few_relative_words(self) -> None:
        """At most 3 of 100 words in documents are relative words."""
        assert MOST_RELATIVE_WORDS >= density(_words(*DOCUMENTS), RELATIVE_WORDS)

    def test_documents_have_few_pronouns(self) -> None:
        """At most 4.5 of 100 words in documents are pronouns."""
        assert MOST_PRONOUNS >= density(_words(*DOCUMENTS), PRONOUNS)


class TestMeasure:
    @pytest.mark.parametrize(("source", "expected"), [(RIDDLE, True), (PLAIN, False)])
    def test_riddle_is_told_from_plain_sentence(
        self, tmp_path: Path, source: str, expected: bool
    ) -> None:
        """A docstring that begins with a relative word is a riddle; one with a subject is none."""
        module = tmp_path / "module.py"
        module.write_text(source)

        assert [expected] == [text.is_riddle for text in docstrings(module)]

    def test_riddle_exceeds_both_limits(self, tmp_path: Path) -> None:
        """A docstring of relative words and pronouns exceeds the limits of the package."""
        module = tmp_path / "module.py"
        module.write_text(RIDDLE)
        found = list(docstrings(module))

        assert MOST_RELATIVE_WORDS < density(found, RELATIVE_WORDS)
        assert MOST_PRONOUNS < density(found, PRONOUNS)

    def test_docstring_of_attribute_is_read(self, tmp_path: Path) -> None:
        """The string below an assignment is a docstring; any other string in a body is none."""
        module = tmp_path / "module.py"
        module.write_text('LIMIT = 3\n"""Of series."""\nprint()\n"""Not read."""\n')

        assert [("of", "series")] == [text.words for text in docstrings(module)]

    def test_code_in_documents_is_left_out(self, tmp_path: Path) -> None:
        """Fenced blocks, code spans and link targets of a document are not prose."""
        page = tmp_path / "page.md"
        page.write_text("See `that` [page](whose.md).\n\n```sh\nwhat it is\n```\n")

        assert [("see", "page")] == [text.words for text in paragraphs(page) if text.words]

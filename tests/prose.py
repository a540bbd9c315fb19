"""Densities of relative words and pronouns in docstrings and documents.

Plain English names its subjects. A text in which many sentences begin with "what" or "whoever", or
refer back with "it" and "that", is hard to read without its context and hard to find by search.
`python tests/prose.py otel_meta/web docs` prints the densities of each file and its densest texts.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

RELATIVE_WORDS = frozenset(
    """
    how that what whatever where wherever whether which whichever who whoever whom whose
    """.split()  # noqa: SIM905 - one line of words reads better than a list
)
"""Words that open a relative clause or an indirect question."""

PRONOUNS = frozenset(
    """
    another it its itself one ones other others that them their they those
    """.split()  # noqa: SIM905 - likewise
)
"""Words that stand for a noun which the reader has to find."""

RIDDLES = RELATIVE_WORDS - {"that"} | {"those"}
"""First words of a docstring whose subject has no name. "The same" is a riddle as well."""

_WORD = re.compile(r"[A-Za-z][A-Za-z'\u2019]*")
_FENCED = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.MULTILINE | re.DOTALL)
_NOT_PROSE = re.compile(r"``.+?``|`[^`]+`|<!--.*?-->|https?://\S+|\]\([^)]*\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Text:
    """One docstring, or one paragraph of a document."""

    place: str
    words: tuple[str, ...]

    @classmethod
    def read(cls, place: str, text: str) -> Text:
        """Take the words of a text, without its code."""
        return cls(place, tuple(word.lower() for word in _WORD.findall(_NOT_PROSE.sub(" ", text))))

    @property
    def is_riddle(self) -> bool:
        """True if the text begins with a relative word."""
        return self.words[:1] != () and (
            self.words[0] in RIDDLES or self.words[:2] == ("the", "same")
        )

    def count(self, vocabulary: frozenset[str]) -> int:
        """Count the words that are in a vocabulary."""
        return sum(word in vocabulary for word in self.words)


def docstrings(path: Path) -> Iterator[Text]:
    """Read the docstrings of a Python file: of modules, classes, functions and attributes."""
    for node in ast.walk(ast.parse(path.read_text())):
        for index, statement in enumerate(getattr(node, "body", ()) if _has_body(node) else ()):
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                text = statement.value.value
                if isinstance(text, str) and (index == 0 or _is_assigned(node, index)):
                    yield Text.read(f"{path}:{statement.lineno}", text)


def paragraphs(path: Path) -> Iterator[Text]:
    """Read the paragraphs, list items and table rows of a Markdown file, without code blocks."""
    text = _FENCED.sub("", path.read_text())
    for block in re.split(r"\n\s*\n|\n(?=[-*|] ?)", text):
        if block.strip():
            yield Text.read(str(path), block)


def texts(paths: Iterable[Path]) -> Iterator[Text]:
    """Read all docstrings and documents below some files and folders."""
    for path in paths:
        for file in sorted(path.rglob("*") if path.is_dir() else [path]):
            if file.suffix == ".py":
                yield from docstrings(file)
            elif file.suffix == ".md":
                yield from paragraphs(file)


def density(of: Iterable[Text], vocabulary: frozenset[str]) -> float:
    """Return how many of 100 words are in a vocabulary."""
    read = list(of)
    return 100 * sum(text.count(vocabulary) for text in read) / sum(len(t.words) for t in read)


def _has_body(node: ast.AST) -> bool:
    return isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)


def _is_assigned(node: ast.AST, index: int) -> bool:
    body: list[ast.stmt] = getattr(node, "body", [])
    return isinstance(body[index - 1], ast.Assign | ast.AnnAssign)


def report(paths: Iterable[Path]) -> None:
    """Print the densities of each file, and the texts of each that are the densest."""
    by_file: dict[str, list[Text]] = {}
    for text in texts(paths):
        if text.words:
            by_file.setdefault(text.place.partition(":")[0], []).append(text)
    print(f"{'relative':>8} {'pronouns':>8} {'riddles':>8}  (per 100 words, per 100 texts)")
    for file, found in by_file.items():
        riddles = [text for text in found if text.is_riddle]
        print(
            f"{density(found, RELATIVE_WORDS):8.1f} {density(found, PRONOUNS):8.1f} "
            f"{100 * len(riddles) / len(found):8.1f}  {file}"
        )
        for text in found:
            used = Counter(w for w in text.words if w in RELATIVE_WORDS | PRONOUNS)
            if text.is_riddle or used.total() > max(1, 0.09 * len(text.words)):
                print(f"{'':28}{text.place}: {' '.join(text.words[:14])}")


if __name__ == "__main__":
    report(map(Path, sys.argv[1:]))

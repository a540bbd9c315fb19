"""Mutants of a source text."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools" / "mutation"
sys.path.append(str(TOOLS))

from mutants import mutants  # noqa: E402  # a tool, outside the packages

SOURCE = '''
LIMIT = 5

class Queue:
    """A queue."""

    def add(self, item: int | None = 0) -> bool:
        """Add an item."""
        if self.size >= LIMIT and item:
            self.lost += 1
            return False
        self.items.append(item)
        return "ä" == item or not self.closed
'''


class TestMutants:
    @pytest.mark.parametrize(
        "name",
        [
            "Queue.add: 0 -> 1",
            "Queue.add: self.size >= LIMIT and item -> not (self.size >= LIMIT and item)",
            "Queue.add: self.size >= LIMIT and item -> self.size >= LIMIT or item",
            "Queue.add: self.size >= LIMIT -> self.size > LIMIT",
            "Queue.add: self.lost += 1 -> pass",
            "Queue.add: 1 -> 2",
            "Queue.add: False -> True",
            "Queue.add: self.items.append(item) -> pass",
            "Queue.add: \"ä\" == item or not self.closed -> 'ä' == item and (not self.closed)",
            "Queue.add: \"ä\" == item -> 'ä' != item",
        ],
    )
    def test_each_fault_is_in_one_mutant(self, name: str) -> None:
        """Each fault is in one mutant."""
        assert 1 == [mutant.name for mutant in mutants(SOURCE)].count(name)

    def test_declarations_annotations_and_docstrings_have_no_faults(self) -> None:
        """Statements outside functions, annotations and docstrings have no faults."""
        assert 10 == len(list(mutants(SOURCE)))

    def test_every_mutant_is_valid_and_differs_in_lines_of_its_node(self) -> None:
        """Every mutant can be compiled, and differs from the source at the line of its node."""
        lines = SOURCE.splitlines()
        for mutant in mutants(SOURCE):
            ast.parse(mutant.text)
            changed = mutant.text.splitlines()

            assert [mutant.line] == [
                n for n, (old, new) in enumerate(zip(lines, changed, strict=True), 1) if old != new
            ]

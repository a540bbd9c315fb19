"""What became of what was sent: one row a fault, printed at the end of a run and kept in docs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HEAD = ("fault", "sent", "stored", "counted as dropped", "lost silently", "came twice", "seen")


@dataclass(frozen=True, kw_only=True)
class Row:
    """The account of one run."""

    sent: int
    stored: int
    """Distinct ones."""
    dropped: int = 0
    """Not stored, and counted as such where somebody can see it."""
    doubled: int = 0
    seen: str
    """What else the run showed, in a few words that hold for every run."""

    @property
    def silent(self) -> int:
        """What is neither stored nor counted."""
        return max(0, self.sent - self.stored - self.dropped)

    def cells(self, name: str) -> tuple[str, ...]:
        """The row as text."""
        numbers = (self.sent, self.stored, self.dropped, self.silent, self.doubled)
        return (name, *map(str, numbers), self.seen)


def markdown(rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = [HEAD, ["---"] * len(HEAD), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

"""Loss accounting: one table row for each fault, printed at the end of a run and kept in docs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

COLUMNS = (
    "fault",
    "sent",
    "stored",
    "dropped and counted",
    "lost, not counted",
    "duplicates",
    "observation",
)


@dataclass(frozen=True, kw_only=True)
class FaultResult:
    """The numbers of one run, in spans or events."""

    sent: int
    stored: int
    """Number of distinct spans or events in the backend."""
    dropped: int = 0
    """Number of lost spans or events that a metric counts."""
    duplicates: int = 0
    observation: str
    """A short remark that holds for every run."""
    reasons: frozenset[str] = frozenset()
    """What the exporter said of spans that it gave up; not in the table."""

    @property
    def lost_silently(self) -> int:
        """Number of spans or events that are neither stored nor counted as dropped."""
        return max(0, self.sent - self.stored - self.dropped)

    def cells(self, fault: str) -> tuple[str, ...]:
        """Return the cells of the table row."""
        numbers = (self.sent, self.stored, self.dropped, self.lost_silently, self.duplicates)
        return (fault, *map(str, numbers), self.observation)


def markdown_table(rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table with these rows below `COLUMNS`."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

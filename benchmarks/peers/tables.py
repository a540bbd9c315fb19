"""The table of costs, with ratios of otel_meta to each client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

_HEAD: Final = (
    "a page of 1,000 counters and 1,000 histograms",
    "page", "size", "add, 2 labels", "add, labels in a map",
    "page: first row to this", "add: first row to this",
)  # fmt: skip


class Costs(NamedTuple):
    """The costs of a client."""

    page_ns: float
    page_bytes: float
    add_ns: float
    map_ns: float

    def lowest(self, other: Costs) -> Costs:
        """Return the lower of each cost."""
        return Costs(*map(min, self, other))


Measured = dict[str, Costs | str]
"""The costs of each contender by title, or the reason why there are none."""


def table(measured: Measured, first: str) -> str:
    """Return the Markdown table.

    Args:
        measured: the costs of each contender.
        first: the contender whose costs are divided by those of the others.
    """
    rows = [_HEAD, ("---",) * len(_HEAD), *_rows(measured, first)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _rows(measured: Measured, first: str) -> Iterator[tuple[str, ...]]:
    ours = measured[first]
    for title, costs in measured.items():
        if isinstance(costs, str) or isinstance(ours, str):
            yield (title, str(costs), *[""] * (len(_HEAD) - 2))
            continue
        yield (
            title,
            f"{costs.page_ns / 1e6:.2f} ms",
            f"{costs.page_bytes / 1000:,.0f} kB",
            f"{costs.add_ns:.0f} ns",
            f"{costs.map_ns:.0f} ns",
            f"{ours.page_ns / costs.page_ns:.2f}",
            f"{ours.add_ns / costs.add_ns:.2f}",
        )

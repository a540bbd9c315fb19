"""Compare a page and a recording with clients in Go and Rust. ``make bench``.

    python benchmarks/peers

Each client has 1,000 counters and 1,000 histograms with eleven buckets. A series has two labels of
its own and two of the service. Each series of otel_meta takes a value before a page; with fewer
changes a page takes as long, because no text of a value is kept.

Times are CPU times of the process; the clients are timed in turn, and the fastest round of each
counts. Without a compiler, the table names it in place of numbers.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peers.ours import ours
from peers.programs import GO, RUST, NotBuilt, Program
from peers.tables import Costs, Measured, table

ROUNDS: Final = 3
"""Rounds over all contenders. Each contender times several rounds of its own each time."""


def main() -> None:
    """Measure and print the table."""
    measured: Measured = {}
    contenders = ours()
    for _ in range(ROUNDS):
        for title, measure in contenders.items():
            _keep(measured, title, measure())
        for program in (GO, RUST):
            _keep(measured, program.title, _peer(program))
    print(f"Python {platform.python_version()} on {platform.machine()}; CPU time\n")
    print(table(measured, first=next(iter(contenders))))


def _peer(program: Program) -> Costs | str:
    try:
        return Costs(**json.loads(program.run()))
    except NotBuilt as reason:
        return str(reason)


def _keep(measured: Measured, title: str, found: Costs | str) -> None:
    """Keep the lowest costs of a contender, or the reason why it has none."""
    known = measured.get(title, found)
    if isinstance(known, Costs) and isinstance(found, Costs):
        found = known.lowest(found)
    measured[title] = found


if __name__ == "__main__":
    main()

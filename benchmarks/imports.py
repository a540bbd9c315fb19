"""CPU time of the imports with which a program begins, in a fresh interpreter. ``make bench``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from resource import RUSAGE_CHILDREN, getrusage
from typing import Final

from comparison import OURS, Row, print_table

ROUNDS: Final = 10
EMPTY: Final = "an empty program"
SDK: Final = "OpenTelemetry's SDK"
SDK_IMPORTS: Final = "from opentelemetry.sdk import metrics, trace"
IMPORTS: Final[Mapping[str, Mapping[str, float]]] = {
    "import otel_meta.model": {SDK: 1.0},
    "import otel_meta": {SDK: 1 / 3},
    "from otel_meta import configure": {},
}
"""Statement -> the largest share of each peer's time that it may take."""


def milliseconds(statements: list[str]) -> dict[str, float]:
    """Return the CPU time of each program, the best of several rounds."""
    best = dict.fromkeys(statements, float("inf"))
    for _ in range(ROUNDS):
        for statement in statements:
            best[statement] = min(best[statement], _cpu_time(statement))
    return best


def _cpu_time(statement: str) -> float:
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], check=True)  # noqa: S603 - as given above
    after = getrusage(RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def main() -> None:
    """Print the table."""
    times = milliseconds([*IMPORTS, "", SDK_IMPORTS])
    peers = {EMPTY: times[""], SDK: times[SDK_IMPORTS]}
    rows = [
        Row(f"`{statement}`", {OURS: times[statement], **peers}, budgets, "ms")
        for statement, budgets in IMPORTS.items()
    ]
    print_table(rows, (EMPTY, SDK))


if __name__ == "__main__":
    main()

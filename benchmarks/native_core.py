"""CPU time of a recording with the native core and with the Python core. ``make bench``.

The processes with the two cores take turns, since a process has one core.
"""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from time import process_time
from timeit import Timer
from typing import Any, Final

from baselines import LABELS, ours
from comparison import CALLS, OURS, Call, Row, print_table

ROUNDS: Final = 5
TOOL: Final = Path(__file__).parents[1] / "tools" / "native_core.py"
PYTHON: Final = "the Python core"
BUDGETS: Final[Mapping[str, float]] = {
    "counter.add, 3 labels": 0.1,
    "histogram.record, 3 labels": 0.1,
    "gauge.set, 3 labels": 0.2,
    "handle.add": 0.03,
    "handle.record": 0.03,
}
"""The microseconds that a recording in C may take, the call by a lambda not included."""


def calls() -> dict[str, Call]:
    """Return the measured recordings, and an empty function for the time of a call."""
    flow, _ = ours()
    labels: Any = LABELS
    add, record, set_ = flow.runs.add, flow.duration.record, flow.waiting.set
    by_handle = flow.runs.with_labels(dag="orders", task="load", state="success").add
    record_by_handle = flow.duration.with_labels(dag="orders", task="load", state="success").record
    return {
        "": lambda: None,
        "counter.add, 3 labels": lambda: add(1, dag="orders", task="load", state="success"),
        "histogram.record, 3 labels": lambda: record(
            0.02, dag="orders", task="load", state="success"
        ),
        "gauge.set, 3 labels": lambda: set_(7, dag="orders", task="load", state="success"),
        "counter.add, 3 labels in a mapping": lambda: add(1, **labels),
        "handle.add": lambda: by_handle(1),
        "handle.record": lambda: record_by_handle(0.02),
    }


def measure() -> dict[str, float]:
    """Return the microseconds of each recording in this process."""
    timers = {name: Timer(call, timer=process_time) for name, call in calls().items()}
    best = {name: min(timer.repeat(ROUNDS, CALLS)) / CALLS * 1e6 for name, timer in timers.items()}
    empty = best.pop("")
    return {name: cost - empty for name, cost in best.items()}


def measured_by(*, is_native: bool, environment: Mapping[str, str]) -> dict[str, float]:
    """Return the measurement of a process with one of the cores."""
    variables = {**environment, "OTEL_META_NATIVE_CORE": str(is_native).lower()}
    command = [sys.executable, __file__, "measure"]
    done = subprocess.run(  # noqa: S603 - this file
        command, env=variables, stdout=subprocess.PIPE, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print the table."""
    tool = runpy.run_path(str(TOOL))
    environment = tool["with_core"](tool["build"]())
    rounds = [
        [measured_by(is_native=native, environment=environment) for native in (True, False)]
        for _ in range(ROUNDS)
    ]
    native, python = (
        {name: min(round_[core][name] for round_ in rounds) for name in rounds[0][core]}
        for core in (0, 1)
    )
    over = [name for name, budget in BUDGETS.items() if native[name] > budget]
    rows = [Row(name, {OURS: native[name], PYTHON: python[name]}, {}) for name in native]
    print_table(rows, (PYTHON,))
    limits = ", ".join(f"{name} {budget:g}" for name, budget in BUDGETS.items())
    print(f"\nLimits in µs: {limits}; over: {', '.join(over) or 'none'}.")


if __name__ == "__main__":
    if "measure" in sys.argv:
        print(json.dumps(measure()))
    else:
        main()

"""Compare the process CPU that instrumentations of FastAPI add to a request. ``make bench``.

    python benchmarks/web [--quick]

Each instrumentation has processes of its own, and exports to a receiver in this process. The time
of the exporter counts; instrumentations for metrics alone render one page for Prometheus in each
block instead. All numbers go to build/web.json as well.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from web.contenders import BARE, CONTENDERS, CONTRIB, NATIVE_ONE, OURS
from web.environment import ROOT, interpreter
from web.receiver import Receiver, receiver
from web.rounds import FULL, QUICK, Case, Cost, Size, in_process, measure, under_uvicorn
from web.tables import ALL, CASES, FEW, MANY_ROUTES, ONE_ROUTE, served_table, table

RESULT: Final = ROOT / "build" / "web.json"
SERVED: Final = (BARE, OURS, CONTRIB, NATIVE_ONE)
_SHOWN: Final = (
    "fastapi", "opentelemetry-sdk", "opentelemetry-instrumentation-fastapi", "logfire",
    "prometheus-fastapi-instrumentator", "starlette_exporter",
)  # fmt: skip

Results = dict[str, dict[Case, dict[str, Cost]]]


def main() -> None:
    """Measure, print the tables and write the numbers."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer requests, for a first look")
    size = QUICK if parser.parse_args().quick else FULL
    with receiver() as server:
        results = _measured(size, server)
    _write(results)
    print(f"Python {platform.python_version()} on {platform.machine()}; {_versions()}\n")
    called = results["in process"]
    for sampled in (ALL, FEW):
        one, many = (called[Case(routes, sampled)] for routes in (ONE_ROUTE, MANY_ROUTES))
        print(table(sampled, one, many))
    served = results["under uvicorn"]
    print(served_table({case.sampled: costs for case, costs in served.items()}))


def _measured(size: Size, server: Receiver) -> Results:
    return {
        "in process": {case: measure(CONTENDERS, case, size, server, in_process) for case in CASES},
        "under uvicorn": {
            case: measure(SERVED, case, size, server, under_uvicorn)
            for case in CASES
            if case.routes == ONE_ROUTE
        },
    }


def _write(results: Results) -> None:
    numbers = [
        {"how": how, **case._asdict(), "instrumentation": name, **cost._asdict()}
        for how, by_case in results.items()
        for case, costs in by_case.items()
        for name, cost in costs.items()
    ]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(numbers, indent=2) + "\n")


def _versions() -> str:
    command = [interpreter(), "-m", "pip", "list", "--format=json"]
    listed = subprocess.run(  # noqa: S603 - the pip of the benchmark's environment
        command, stdout=subprocess.PIPE, text=True, check=True
    )
    found = {package["name"]: package["version"] for package in json.loads(listed.stdout)}
    return ", ".join(f"{name} {found[name]}" for name in _SHOWN)


if __name__ == "__main__":
    main()

"""Judge the alerts of otel_meta and of others, and write docs/alert-quality.md.

    python benchmarks/alert_quality [SCENARIO ...]

With names of scenarios, only their verdicts are printed. Results are kept in build/alert-quality;
a run with the same rules is not repeated. The exit code is 1 if another tool is better in a row for
which reasons.toml has no reason.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from alert_quality import scenarios
from alert_quality.contenders import ALL, ROOT
from alert_quality.cost import PODS, history, samples_a_minute
from alert_quality.document import PATH, document
from alert_quality.slices import INTERVALS, SliceCheck, check
from alert_quality.verdict import Verdict, judge

CACHE: Final = ROOT / "build" / "alert-quality"
_BY_NAME: Final = {one.name: one for one in ALL}


def _judged(name: str, contender: str) -> Verdict:
    print(f"{name}: {contender}", file=sys.stderr, flush=True)
    return judge(scenarios.ALL[name](), _BY_NAME[contender], CACHE)


def _cost(pods: int, contender: str) -> float:
    print(f"{pods} pods: {contender}", file=sys.stderr, flush=True)
    return samples_a_minute(history(pods), _BY_NAME[contender], CACHE)


def _slices(interval: int) -> list[SliceCheck]:
    return list(check(interval, CACHE))


def show(verdict: Verdict) -> None:
    """Print a verdict for a person."""
    print(f"{verdict.scenario}: {verdict.contender}")
    for one in verdict.incidents:
        after = "missed" if one.delay is None else f"paged after {one.delay / 60:.1f} min"
        print(f"  {one.service}: incident at {one.start} s, {after}")
    for page in verdict.false_pages:
        print(f"  false: {page.alert} of {page.labels.get('service_name')} at {page.start} s")
    for known in verdict.checks:
        error = "no number" if known.error is None else f"off by {known.error:.1f} points"
        print(f"  {known.service}: budget at {known.at} s {error}")
    for error, times in verdict.errors.items():
        print(f"  {times} times: {error}")


def write(pool: ProcessPoolExecutor) -> int:
    """Run everything and write the page."""
    names = list(scenarios.ALL)
    pairs = [(name, contender) for contender, name in product(_BY_NAME, names)]
    costs = list(product(PODS, _BY_NAME))
    judged = pool.map(_judged, *zip(*pairs, strict=True))
    measured = pool.map(_cost, *zip(*costs, strict=True))
    slices = pool.map(_slices, INTERVALS)
    verdicts: dict[str, list[Verdict]] = {name: [] for name in _BY_NAME}
    for (_, contender), verdict in zip(pairs, judged, strict=True):
        verdicts[contender].append(verdict)
    by_pods: dict[int, list[float]] = {pods: [] for pods in PODS}
    for (pods, _), samples in zip(costs, measured, strict=True):
        by_pods[pods].append(samples)
    made = [scenarios.ALL[name]() for name in names]
    text, missing = document(made, verdicts, by_pods, [one for part in slices for one in part])
    PATH.write_text(text)
    for row in missing:
        print(f"another tool is better, and reasons.toml has no reason: {row}", file=sys.stderr)
    return min(1, len(missing))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = ArgumentParser(description="judge the alerts of otel_meta and of others")
    parser.add_argument("names", nargs="*", metavar="SCENARIO", choices=[[], *scenarios.ALL])
    parser.add_argument("--jobs", type=int, default=2, help="simulations at a time")
    options = parser.parse_args(arguments)
    with ProcessPoolExecutor(options.jobs) as pool:
        if not options.names:
            return write(pool)
        pairs = list(product(options.names, _BY_NAME))
        for verdict in pool.map(_judged, *zip(*pairs, strict=True)):
            show(verdict)
    return 0


if __name__ == "__main__":
    sys.exit(main())

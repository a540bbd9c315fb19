"""How often the injected cause of a made incident is the first cause that is found.

    python benchmarks/explain [--incidents 25] [--seed 1]

Incidents of every strength, traffic and width are made, so many of each. The exit code is 1 if
fewer than 95 % are found.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from explain.incidents import STRENGTHS, TRAFFIC, Incident, failing_alike, incidents
from otel_meta.fleet.explain.causes import Cells, causes

WANTED: Final = 0.95


def is_found(incident: Incident, before: Cells | None) -> bool:
    """Return True if the first cause has the events of the injected cause."""
    found = causes(incident.now, before)
    return bool(found) and incident.is_found_in(found[0].part)


def is_found_by_excess(incident: Incident) -> bool:
    """Return True if the value with the most excess, as in alerts, is that of the cause."""
    bad, total = incident.now.whole
    parts = {
        part: events.bad - bad / total * events.total
        for label in incident.now.labels
        for part, events in incident.now.by((label,)).items()
    }
    return incident.is_found_in(max(parts, key=lambda part: parts[part]))


def _rows() -> Sequence[tuple[str, Callable[[Incident], bool]]]:
    return [
        ("all", lambda _: True),
        ("one value", lambda each: len(each.cause) == 1),
        ("a pair of values", lambda each: len(each.cause) > 1),
        *((f"{n:,} events", _has("traffic", n)) for n in TRAFFIC),
        *((f"{n:.0%} of them fail", _has("strength", n)) for n in STRENGTHS),
    ]


def _has(name: str, value: float) -> Callable[[Incident], bool]:
    """Return a condition: an incident has this value."""
    return lambda incident: bool(getattr(incident, name) == value)


def main() -> int:
    """Print a table, and return the exit code."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=25, help="of each kind (25)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    made = list(incidents(given.seed, given.incidents))
    ways = {
        "with the time before": [is_found(each, each.before) for each in made],
        "without": [is_found(each, None) for each in made],
        "by excess, as in alerts": [is_found_by_excess(each) for each in made],
    }
    print(f"{'injected cause found first':28}{'incidents':>10}" + "".join(f"{w:>26}" for w in ways))
    for name, belongs in _rows():
        at = [number for number, each in enumerate(made) if belongs(each)]
        shares = (sum(found[n] for n in at) / len(at) for found in ways.values())
        print(f"{name:28}{len(at):>10}" + "".join(f"{share:>26.1%}" for share in shares))
    alike = [bool(causes(now, before)) for now, before in failing_alike(given.seed, 20)]
    print(f"a cause is named where everything fails alike: {sum(alike) / len(alike):.1%}")
    found = ways["with the time before"]
    return 0 if sum(found) >= WANTED * len(found) else 1


if __name__ == "__main__":
    sys.exit(main())

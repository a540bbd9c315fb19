"""The rules of an SLO with corrections, and the true budget of a trace of events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, Final

from otel_meta.model import Slo
from otel_meta.model.slo.correction import Correction
from otel_meta.render.options import Options
from otel_meta.render.rules.alerting_rules import alerting_groups
from otel_meta.render.rules.recording_rules import slo_records
from otel_meta.render.rules.rule import Group, RuleFile
from otel_meta.render.rules.rule_formats import prometheus
from otel_meta.repos.nebula import Nebula
from tests.rules.committed_rules import Groups
from tests.rules.raw_series import identity, label_text
from tests.yaml_files import read_yaml

SLO: Final = Nebula.api_availability
EXACT: Final = (3, 16)
"""The version of Prometheus whose counts are whole events."""

Events = Sequence[tuple[int, int]]
"""Good and bad events of each minute; the first minute ends at minute 1."""


def correction(begin: int, end: int, **more: Any) -> Correction:
    """Return a correction between two minutes of the trace."""
    return Correction(
        begin=datetime.fromtimestamp(60 * begin, UTC),
        end=datetime.fromtimestamp(60 * end, UTC),
        reason="Announced maintenance.",
        **more,
    )


def groups(*corrections: Correction, slo: Slo = SLO) -> Groups:
    """Return the recordings and the alerts of an SLO, as one group."""
    options = Options(prometheus=EXACT, corrections=corrections)
    alerts = next(g for g in alerting_groups(Nebula, options) if g.name == f"{slo.name}-alerts")
    rules = (*slo_records(Nebula, slo, options), *alerts.rules)
    file = RuleFile("test", "test", (Group(slo.name, rules),))
    return list(read_yaml(prometheus(file))["groups"])


def reloaded(before: Groups, after: Groups, minute: int) -> Groups:
    """Return the rules of a Prometheus that loads other rules at a minute."""
    return [
        _while(before, f"< {60 * minute}", "before"),
        _while(after, f">= {60 * minute}", "after"),
    ]


def _while(loaded: Groups, condition: str, name: str) -> dict[str, Any]:
    rules = [
        rule | {"expr": f"({rule['expr']}) and on () (vector(time()) {condition})"}
        for group in loaded
        for rule in group["rules"]
    ]
    return {"name": name, "interval": "1m", "rules": rules}


def series(events: Events, service: str = "svc") -> dict[str, str]:
    """Return the raw counters of a service; a minute of -1 events is a gap in scrapes."""
    name = "http_server_request_duration_seconds_count"
    own = identity(Nebula, service)
    good, bad = zip(*events, strict=True)
    return {
        name + label_text(own): _counter(good),
        name + label_text(own | {"error_type": "500"}): _counter(bad),
    }


def _counter(counts: Sequence[int]) -> str:
    totals = accumulate(counts, initial=1000)
    return " ".join(map(str, totals))


def budget(events: Events, *excluded: tuple[int, int]) -> float:
    """Return the true share of the budget that is left, counted minute by minute."""
    kept = [
        each
        for minute, each in enumerate(events)
        if not any(begin <= minute < end for begin, end in excluded)
    ]
    good, bad = (sum(column) for column in zip(*kept, strict=True))
    return float(1 - bad / (good + bad) / SLO.objective.budget)

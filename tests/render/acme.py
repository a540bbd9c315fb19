"""A meta-repository of a few lines, with one SLO for each kind of indicator."""

from __future__ import annotations

from typing import Literal

from otel_meta import measures
from otel_meta.model import (
    Alert,
    Counter,
    Duration,
    Gauge,
    Histogram,
    MetaRepo,
    NoLabels,
    Recording,
    Slo,
    labels,
)


@labels
class Call:
    outcome: Literal["ok", "failed", "timed_out"]


@labels
class Tank:
    tank: str


class Acme(MetaRepo, name="acme", owner="anvils", tier=3):
    """Anvils."""

    calls = Counter("acme.calls", "Calls answered.", Call)
    faults = Counter("acme.faults", "Calls that failed.", NoLabels)
    wait = Histogram("acme.wait", "Time to answer.", NoLabels, unit="s", buckets=(0.5, 1))
    level = Gauge("acme.level", "How full a tank is.", Tank)

    answered = Slo(
        "acme-answered",
        objective="99.9%",
        period="30d",
        sli=calls.ratio(bad=calls.where(outcome=("failed", "timed_out"))),
        why="Somebody waits.",
    )
    quick = Slo(
        "acme-quick",
        objective="99%",
        period="7d",
        sli=wait.within(0.5),
        why="Somebody waits for long.",
    )

    lowest = Recording(
        "service:acme_level:min",
        measures.latest(level, aggregation="min"),
        "How full the emptiest tank is.",
    )
    empty = Alert(
        name="AcmeEmpty",
        measure=measures.latest(level, aggregation="min"),
        below=0.1,
        for_=Duration("5m"),
        severity="page",
        summary="A tank is empty.",
    )

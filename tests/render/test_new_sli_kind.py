"""A kind of SLI that the package does not have, declared here alone.

A new kind is described in the terms of `otel_meta.model.slo.event_terms`. Rules, the counter in the
process, documents, dashboards and trace sampling then work without a change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from otel_meta.model import Duration, Histogram, MetaRepo, NoLabels, Selector, Slo
from otel_meta.model.slo.event_terms import EventCount, Remainder
from otel_meta.model.slo.sli import SimpleSli
from otel_meta.render.collector.sampling import bad_spans
from otel_meta.render.dashboards.grafana.panel import GREEN, RED, ThresholdStep
from otel_meta.render.dashboards.instrument_panels import sli_thresholds
from otel_meta.render.options import Options
from otel_meta.render.rules.alerting_rules import alerting_groups
from otel_meta.render.rules.rule import AlertRule
from otel_meta.render.rules.sli_promql import Scope, increments
from otel_meta.runtime.recording.faults import Faults
from otel_meta.runtime.recording.storage import MetricStorage
from otel_meta.runtime.slo.counting import event_counter
from otel_meta.status.sli_text import sli_text
from otel_meta.status.status import Status
from otel_meta.status.status_json import status_json


@dataclass(frozen=True)
class Band(SimpleSli):
    """Values of a histogram: good above one bucket bound, up to another."""

    values: Selector
    above: float
    at_most: float

    @property
    def total_events(self) -> EventCount:
        """Every recorded value."""
        return EventCount(self.values)

    @property
    def bad_events(self) -> Remainder:
        """Every value outside the band."""
        return Remainder(EventCount(self.values, self.above, self.at_most))


class Bakery(MetaRepo, name="bakery", owner="bakers"):
    """Bread."""

    baking = Histogram(
        "bakery.baking", "Time to bake.", NoLabels, unit="s", buckets=(0.1, 0.5, 1.5, 60)
    )
    crisp = Slo(
        "bakery-crisp",
        objective="99%",
        period="30d",
        sli=Band(Selector(baking), 0.5, 1.5),
        why="Pale bread is returned.",
    )


(SLI,) = Bakery.crisp.sli.parts
BY = "service_namespace, service_name, deployment_environment_name, environment, cluster"
COUNT = 'increase(bakery_baking_seconds_count{service_namespace="bakery"}[5m])'
UPPER = 'increase(bakery_baking_seconds_bucket{service_namespace="bakery",le="1.5"}[5m])'
LOWER = 'increase(bakery_baking_seconds_bucket{service_namespace="bakery",le="0.5"}[5m])'
SEEN = 'timestamp(bakery_baking_seconds_count{service_namespace="bakery"})'
LOST = "\n".join(
    f"unless {SEEN} > (max without (le) (timestamp({bucket})) or 0 * {SEEN})"
    for bucket in (UPPER[9:-5], LOWER[9:-5])
)
TOTAL = f"""\
sum by ({BY}) ({COUNT}
and ignoring (le) {UPPER}
and ignoring (le) {LOWER}
{LOST})"""
WITHIN = f"sum without (le) ({UPPER}) - sum without (le) ({LOWER})"
BAD = f"sum by ({BY}) (clamp_min({COUNT} - ({WITHIN}), 0)\n{LOST})"


def test_rules() -> None:
    """The rules subtract the buckets inside the band from all events."""
    assert (BAD, TOTAL) == increments(SLI, Scope("bakery", Duration("5m"), Options()))


def test_alerts() -> None:
    """An SLO of a new kind has every alert of an SLO that counts events."""
    (group,) = alerting_groups(Bakery, Options())

    assert 6 == sum(isinstance(rule, AlertRule) for rule in group.rules)


@pytest.mark.parametrize(("value", "bad"), [(0.5, 1), (0.6, 0), (1.5, 0), (1.6, 1)])
def test_counter(value: float, bad: int) -> None:
    """The process counts the values outside the band as bad."""
    storage = MetricStorage(Faults())
    counter = event_counter(SLI, storage, 0.0)
    live: Any = storage.recorder(Bakery.baking)
    live.record(value)

    assert (bad, 1) == counter.count(0.0)


def test_status() -> None:
    """The status of the SLO counts events."""
    storage = MetricStorage(Faults())
    events = event_counter(SLI, storage, 0.0).count(0.0)
    status = Status(slo=Bakery.crisp, repo="bakery", events=events, burns={}, covered=1.0)

    assert "events" == status_json(status)["unit"]


def test_words() -> None:
    """Documents name both bounds of the band."""
    assert "bakery_baking_seconds > 0.5 and <= 1.5" == sli_text(SLI)


def test_dashboards() -> None:
    """Panels are red on both sides of the band."""
    assert (
        ThresholdStep(None, RED),
        ThresholdStep(0.5, GREEN),
        ThresholdStep(1.5, RED),
    ) == sli_thresholds(SLI)


def test_sampling() -> None:
    """Traces with a span outside the band are kept."""
    duration = "span.end_time_unix_nano - span.start_time_unix_nano"
    expected = (
        'resource.attributes["service.namespace"] == "bakery" and '
        f"({duration} <= 500000000 or {duration} > 1500000000)"
    )

    assert [expected] == bad_spans(Bakery, Bakery.crisp)

# ruff: noqa: E501  # expressions stand as they are rendered
from __future__ import annotations

import pytest

from otel_meta import measures
from otel_meta.errors import DeclarationError
from otel_meta.model import Counter, Gauge, MetaRepo, NoLabels, Recording, UpDownCounter
from otel_meta.model.identity import Identity
from otel_meta.model.measure import Measure
from otel_meta.render.options import Options
from otel_meta.render.rules.measures.measure_promql import expression, layers_of
from otel_meta.render.rules.measures.measure_rules import measure_groups
from tests.render.acme import Acme, Tank

PLAIN = Options(identity=Identity(places=()))
FAILED = Acme.calls.where(outcome="failed")

SHARE = """\
(
  sum by (service_namespace, service_name) (increase(acme_calls_total{service_namespace="acme",outcome="failed"}[5m]))
  or
  0 * sum by (service_namespace, service_name) (increase(acme_calls_total{service_namespace="acme"}[5m]))
)
/
(sum by (service_namespace, service_name) (increase(acme_calls_total{service_namespace="acme"}[5m])) > 0)"""

INCREASE = """\
sum by (service_namespace, service_name) (
  (acme_wait_seconds_count{service_namespace="acme"} unless acme_wait_seconds_count{service_namespace="acme"} offset 1h and on (job, instance) otel_meta_up offset 1h)
  or
  increase(acme_wait_seconds_count{service_namespace="acme"}[1h])
)"""

GROWTH = """\
sum by (service_namespace, service_name) (rate(acme_calls_total{service_namespace="acme"}[1h]))
/
(sum by (service_namespace, service_name) (rate(acme_calls_total{service_namespace="acme"}[1h] offset 7d)) > 0)
- 1"""

HOURS = 'service:acme_wait_seconds_bucket:increase1h{service_namespace="acme"}'


@pytest.mark.parametrize(
    ("measure", "text"),
    [
        (
            measures.latest(Acme.level),
            'max by (service_namespace, service_name) (acme_level{service_namespace="acme"})',
        ),
        (
            measures.latest(Acme.level, aggregation="sum"),
            'sum by (service_namespace, service_name) (max by (service_namespace, service_name, tank) (acme_level{service_namespace="acme"}))',
        ),
        (
            measures.over_time(Acme.level, "avg", "7d", aggregation="sum", by=("tank",)),
            'avg_over_time(tank:acme_level:sum{service_namespace="acme"}[7d:5m])',
        ),
        (
            measures.over_time(Acme.level, "max", "1d"),
            'max_over_time(service:acme_level:avg{service_namespace="acme"}[1d])',
        ),
        (
            measures.quantile(Acme.wait, "0.99", "7d"),
            f"histogram_quantile(0.99, (sum_over_time({HOURS}[7d:1h]) or {HOURS}))",
        ),
        (
            measures.quantile(Acme.wait, "0.99", "90m"),
            'histogram_quantile(0.99, sum_over_time(service:acme_wait_seconds_bucket:increase5m{service_namespace="acme"}[90m:5m]))',
        ),
        (
            measures.quantile(Acme.wait, "0.99", "1h"),
            'histogram_quantile(0.99, sum by (service_namespace, service_name, le) (increase(acme_wait_seconds_bucket{service_namespace="acme"}[1h])))',
        ),
        (
            measures.rate(Acme.calls, "1h"),
            'sum by (service_namespace, service_name) (rate(acme_calls_total{service_namespace="acme"}[1h]))',
        ),
        (
            measures.rate(Acme.calls, "2h"),
            'sum_over_time(service:acme_calls_total:increase5m{service_namespace="acme"}[2h:5m]) / 7200',
        ),
        (
            measures.increase(Acme.wait, "1h"),
            INCREASE,
        ),
        (measures.share(FAILED, Acme.calls, "5m"), SHARE),
        (measures.relative_change(measures.rate(Acme.calls, "1h"), "7d"), GROWTH),
    ],
    ids=[
        "latest",
        "latest sum",
        "average",
        "maximum",
        "quantile",
        "quantile of minutes",
        "quantile of an hour",
        "rate",
        "long rate",
        "increase",
        "share",
        "growth",
    ],
)
def test_each_kind_of_measure_has_expression_by_labels_and_namespace(
    measure: Measure, text: str
) -> None:
    """Each kind of measure has an expression by labels and namespace."""
    assert text == expression(measure, "acme", PLAIN)


def test_measure_is_by_places_as_well() -> None:
    """A measure tells environments and clusters apart."""
    assert (
        'max by (service_namespace, tank, cluster) (acme_level{service_namespace="acme"})'
        == expression(
            measures.latest(Acme.level, by=("tank",)),
            "acme",
            Options(identity=Identity(("cluster",))),
        )
    )


def test_layers_of_quantile_are_increases_of_buckets_of_minutes_and_hours() -> None:
    """A quantile over days reads the increase of buckets, in steps of an hour."""
    layers = layers_of(measures.quantile(Acme.wait, "0.99", "7d"), "acme", PLAIN)

    minutes = "service:acme_wait_seconds_bucket:increase5m"
    assert {
        minutes: 'sum by (service_namespace, service_name, le) (increase(acme_wait_seconds_bucket{service_namespace="acme"}[5m]))',
        "service:acme_wait_seconds_bucket:increase1h": f'sum_over_time({minutes}{{service_namespace="acme"}}[1h:5m])',
    } == {record.record: record.expr for record in layers}


def test_measure_over_short_time_needs_no_layer() -> None:
    """A measure over an hour or less reads raw series alone."""
    assert [] == list(layers_of(measures.share(FAILED, Acme.calls, "1h"), "acme"))


def test_name_of_layer_has_selected_values() -> None:
    """The name of a layer has the values that are selected, so that layers differ."""
    layers = layers_of(measures.share(FAILED, Acme.calls, "2h"), "acme")

    assert [
        "service:acme_calls_total:failed_increase5m",
        "service:acme_calls_total:increase5m",
    ] == [layer.record for layer in layers]


@pytest.mark.parametrize(
    ("instrument", "inner"),
    [
        (Gauge("acme.depth", "Depth.", Tank), "max"),
        (Gauge("acme.depth", "Depth.", Tank, multiprocess_mode="min"), "min"),
        (Gauge("acme.depth", "Depth.", Tank, multiprocess_mode="sum"), ""),
        (UpDownCounter("acme.depth", "Depth.", Tank), ""),
    ],
    ids=["same", "least", "parts", "additive"],
)
def test_sum_takes_one_of_replicas_that_report_the_same(
    instrument: Gauge[...] | UpDownCounter[...], inner: str
) -> None:
    """A sum takes one replica's value of a gauge, and adds the parts of an up-down counter."""
    text = expression(measures.latest(instrument, aggregation="sum"), "acme", PLAIN)

    series = 'acme_depth{service_namespace="acme"}'
    one = f"{inner} by (service_namespace, service_name, tank) ({series})" if inner else series
    assert f"sum by (service_namespace, service_name) ({one})" == text


def test_two_layers_of_one_name_are_refused() -> None:
    """Two layers that would have one name are refused where the rules are made."""

    class Twice(MetaRepo, name="twice", owner="anvils"):
        """Two measures, of which the second is named like the layer of the first."""

        calls = Counter("twice.calls", "Calls.", NoLabels)
        first = Recording("a:b:c", measures.increase(calls, "1d"), "Calls of a day.")
        second = Recording(
            "service:twice_calls_total:increase5m",
            measures.increase(calls, "10m"),
            "Calls of ten minutes.",
        )

    with pytest.raises(DeclarationError, match="records two series named service:twice_calls"):
        list(measure_groups(Twice, Options()))

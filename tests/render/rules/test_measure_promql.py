# ruff: noqa: E501  # expressions stand as they are rendered
from __future__ import annotations

import pytest

from otel_meta import measures
from otel_meta.model.measure import Measure
from otel_meta.render.rules.measure_promql import expression
from tests.render.acme import Acme

SHARE = """\
(
  sum by (service_namespace, service_name) (increase(acme_calls_total{service_namespace="acme",outcome="failed"}[5m]))
  or
  0 * sum by (service_namespace, service_name) (increase(acme_calls_total{service_namespace="acme"}[5m]))
)
/
(sum by (service_namespace, service_name) (increase(acme_calls_total{service_namespace="acme"}[5m])) > 0)"""

GROWTH = """\
sum by (service_namespace, service_name) (rate(acme_calls_total{service_namespace="acme"}[1h]))
/
(sum by (service_namespace, service_name) (rate(acme_calls_total{service_namespace="acme"}[1h] offset 7d)) > 0)
- 1"""


@pytest.mark.parametrize(
    ("measure", "text"),
    [
        (
            measures.latest(Acme.level),
            'max by (service_namespace, service_name) (acme_level{service_namespace="acme"})',
        ),
        (
            measures.over_time(Acme.level, "avg", "7d", aggregation="sum", by=("tank",)),
            'sum by (service_namespace, tank) (avg_over_time(acme_level{service_namespace="acme"}[7d]))',
        ),
        (
            measures.quantile(Acme.wait, "0.99", "7d"),
            'histogram_quantile(0.99, sum by (service_namespace, service_name, le) (rate(acme_wait_seconds_bucket{service_namespace="acme"}[7d])))',
        ),
        (
            measures.rate(Acme.calls, "1h"),
            'sum by (service_namespace, service_name) (rate(acme_calls_total{service_namespace="acme"}[1h]))',
        ),
        (
            measures.increase(Acme.wait, "1h"),
            'sum by (service_namespace, service_name) (increase(acme_wait_seconds_count{service_namespace="acme"}[1h]))',
        ),
        (measures.share(Acme.calls.where(outcome="failed"), Acme.calls, "5m"), SHARE),
        (measures.relative_change(measures.rate(Acme.calls, "1h"), "7d"), GROWTH),
    ],
    ids=["latest", "over time", "quantile", "rate", "increase", "share", "growth"],
)
def test_each_kind_of_measure_has_expression_by_labels_and_namespace(
    measure: Measure, text: str
) -> None:
    """Each kind of measure has an expression by labels and namespace."""
    assert text == expression(measure, "acme")

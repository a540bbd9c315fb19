# ruff: noqa: E501  # expressions stand as they are rendered
from __future__ import annotations

import pytest

from otel_meta.model import Sli
from otel_meta.model.identity import Identity
from otel_meta.render.rules.sli_promql import increments
from tests.render.acme import Acme

TOTAL = 'sum by (service_namespace, service_name) (increase(acme_calls_total{service_namespace="acme"}[5m]))'
COUNT = 'sum by (service_namespace, service_name) (increase(acme_wait_seconds_count{service_namespace="acme"}[5m]))'

BAD = f"""\
sum by (service_namespace, service_name) (increase(acme_faults_total{{service_namespace="acme"}}[5m]))
or
0 * {TOTAL}"""

GOOD = f"""\
clamp_min(
  {TOTAL}
  -
  (sum by (service_namespace, service_name) (increase(acme_calls_total{{service_namespace="acme",outcome="ok"}}[5m]))
  or
  0 * {TOTAL})
, 0)"""

WITHIN = f"""\
clamp_min(
  {COUNT}
  -
  sum by (service_namespace, service_name) (increase(acme_wait_seconds_bucket{{service_namespace="acme",LE}}[5m]))
, 0)"""

EACH = '30 * sum by (service_namespace, service_name) (sum_over_time((acme_level{service_namespace="acme"} < bool 1)[5m:30s]))'
EACH_TOTAL = '30 * sum by (service_namespace, service_name) (count_over_time(acme_level{service_namespace="acme"}[5m:30s]))'
WORST = '30 * sum_over_time((max by (service_namespace, service_name) (acme_level{service_namespace="acme"}) > bool 2)[5m:30s])'
WORST_TOTAL = '30 * count_over_time((max by (service_namespace, service_name) (acme_level{service_namespace="acme"}))[5m:30s])'


@pytest.mark.parametrize(
    ("sli", "bad", "total"),
    [
        (Acme.calls.ratio(bad=Acme.faults), BAD, TOTAL),
        (Acme.calls.ratio(good=Acme.calls.where(outcome="ok")), GOOD, TOTAL),
        (Acme.wait.within(0.5), WITHIN.replace("LE", 'le="0.5"'), COUNT),
        (Acme.wait.within(1), WITHIN.replace("LE", r'le=~"1(\\.0)?"'), COUNT),
        (Acme.level.at_least(1), EACH, EACH_TOTAL),
        (Acme.level.at_most(2).worst(), WORST, WORST_TOTAL),
    ],
    ids=["bad", "good", "threshold", "whole threshold", "each", "worst"],
)
def test_each_kind_of_sli_has_expressions_for_bad_and_total(sli: Sli, bad: str, total: str) -> None:
    """Each kind of SLI has expressions for bad and total events."""
    found = increments(sli, "acme", Identity())

    assert bad == found.bad
    assert total == found.total

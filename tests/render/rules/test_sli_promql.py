# ruff: noqa: E501  # expressions stand as they are rendered
from __future__ import annotations

import pytest

from otel_meta.model import Duration, Sli
from otel_meta.render.options import ANCHORED, Options
from otel_meta.render.rules.sli_promql import Scope, increments
from tests.render.acme import Acme

BY = "service_namespace, service_name, deployment_environment_name, environment, cluster"
TOTAL = f'sum by ({BY}) (increase(acme_calls_total{{service_namespace="acme"}}[1h]))'
COUNT = 'increase(acme_wait_seconds_count{service_namespace="acme"}[1h])'
BUCKET = 'increase(acme_wait_seconds_bucket{service_namespace="acme",LE}[1h])'

BAD = f"""\
sum by ({BY}) (increase(acme_faults_total{{service_namespace="acme"}}[1h]))
or on ({BY})
0 * {TOTAL}"""

GOOD = f"""\
clamp_min({TOTAL}
- on ({BY}) (sum by ({BY}) (increase(acme_calls_total{{service_namespace="acme",outcome="ok"}}[1h]))
  or on ({BY})
  0 * {TOTAL}), 0)"""

SEEN = 'timestamp(acme_wait_seconds_count{service_namespace="acme"})'
LOST = f"""\
unless {SEEN} > (max without (le) (timestamp(acme_wait_seconds_bucket{{service_namespace="acme",LE}})) or 0 * {SEEN})"""
WITHIN = f"""\
sum by ({BY}) (clamp_min({COUNT} - sum without (le) ({BUCKET}), 0)
{LOST})"""
KNOWN = f"""\
sum by ({BY}) ({COUNT}
and ignoring (le) {BUCKET}
{LOST})"""

EACH = (
    f'15 * sum by ({BY}) (sum_over_time((acme_level{{service_namespace="acme"}} < bool 1)[1h:15s]))'
)
EACH_TOTAL = f'15 * sum by ({BY}) (count_over_time((acme_level{{service_namespace="acme"}} >= -Inf)[1h:15s]))'
WORST = (
    f'15 * sum_over_time((max by ({BY}) (acme_level{{service_namespace="acme"}}) > bool 2)[1h:15s])'
)
WORST_TOTAL = f'15 * count_over_time((max by ({BY}) (acme_level{{service_namespace="acme"}}) >= -Inf)[1h:15s])'


NATIVE = 'increase(acme_wait_seconds{service_namespace="acme"}[1h] anchored)'
NATIVE_COUNT = f"histogram_count({NATIVE})"
NATIVE_GOOD = f"({NATIVE_COUNT} * histogram_fraction(-Inf, 0.5, {NATIVE}) >= 0 or {NATIVE_COUNT})"


@pytest.mark.parametrize(
    ("options", "is_native"),
    [
        (Options(native_histograms=True, prometheus=ANCHORED), True),
        (Options(prometheus=ANCHORED), False),
        (Options(native_histograms=True), False),
        (Options(native_histograms=True, prometheus=ANCHORED, rule_format="vmalert"), False),
    ],
    ids=["asked for", "not asked for", "old server", "other ruler"],
)
def test_values_up_to_bound_are_share_of_native_histogram(
    options: Options, is_native: bool
) -> None:
    """Where asked for, and where counts are exact, values are counted in native histograms."""
    bad, total = increments(Acme.wait.within(0.5), Scope("acme", Duration("1h"), options))

    assert is_native == bad.startswith(
        f"sum by ({BY}) (clamp_min({NATIVE_COUNT} - {NATIVE_GOOD}, 0)\nunless "
    )
    assert is_native == total.startswith(f"sum by ({BY}) ({NATIVE_COUNT}\nand ignoring (le) ")
    assert is_native == ("histogram_" in bad + total)


@pytest.mark.parametrize(
    ("sli", "bad", "total"),
    [
        (Acme.calls.ratio(bad=Acme.faults), BAD, TOTAL),
        (Acme.calls.ratio(good=Acme.calls.where(outcome="ok")), GOOD, TOTAL),
        (Acme.wait.within(0.5), WITHIN.replace("LE", 'le="0.5"'), KNOWN.replace("LE", 'le="0.5"')),
        (
            Acme.wait.within(1),
            WITHIN.replace("LE", r'le=~"1(\\.0)?"'),
            KNOWN.replace("LE", r'le=~"1(\\.0)?"'),
        ),
        (Acme.level.at_least(1), EACH, EACH_TOTAL),
        (Acme.level.at_most(2).worst(), WORST, WORST_TOTAL),
    ],
    ids=["bad", "good", "threshold", "whole threshold", "each", "worst"],
)
def test_each_kind_of_sli_has_expressions_for_bad_and_total(sli: Sli, bad: str, total: str) -> None:
    """Each kind of SLI has expressions for bad and total events."""
    found = increments(sli, Scope("acme", Duration("1h"), Options()))

    assert bad == found.bad
    assert total == found.total


def test_bad_events_never_seen_are_zero_where_recorded_total_is() -> None:
    """Bad events that were never seen are 0 where the recorded total is, without a second count."""
    scope = Scope("acme", Duration("1h"), Options())
    found = increments(Acme.calls.ratio(bad=Acme.faults), scope, "recorded")

    assert BAD.replace(TOTAL, "recorded") == found.bad

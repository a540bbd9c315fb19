from __future__ import annotations

from otel_meta.model import Catalog
from otel_meta.render.options import Options
from otel_meta.render.rules.intervals import EVALUATION_INTERVAL
from otel_meta.render.rules.rule import AlertRule
from otel_meta.render.rules.telemetry import telemetry_groups
from tests.render.acme import Acme


def presence_alerts(options: Options) -> dict[str, AlertRule]:
    """Return the alerts about services that are gone."""
    groups = telemetry_groups(Catalog((Acme,)), options)
    rules = [rule for group in groups for rule in group.rules if isinstance(rule, AlertRule)]
    return {rule.alert: rule for rule in rules if rule.alert in {"ServiceDown", "TelemetryLost"}}


def test_end_of_jobs_is_no_loss() -> None:
    """Every selector of both alerts leaves out the jobs: the end of many jobs pages nobody."""
    for rule in presence_alerts(Options(jobs=("nightly", "hourly"))).values():
        selectors = rule.expr.count("service:otel_meta_up:count")

        assert selectors == rule.expr.count('service_name!~"nightly|hourly"'), rule.alert


def test_loss_of_most_services_fires_before_the_loss_of_each() -> None:
    """TelemetryLost inhibits ServiceDown in time, at whichever second the two groups begin."""
    alerts = presence_alerts(Options())
    each, most = alerts["ServiceDown"].for_, alerts["TelemetryLost"].for_

    assert each is not None
    assert most is not None
    assert each.seconds - 2 * EVALUATION_INTERVAL.seconds >= most.seconds

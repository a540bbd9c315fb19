"""Prometheus' rule engine on simulated time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alert_quality.engine import Outcome, Query, RuleSet, run
from alert_quality.scenario import Scenario
from alert_quality.scrape import Series
from alert_quality.services import HOUR, MINUTE

EMPTY = Scenario(name="e", story="", seconds=2 * HOUR, services=(), checks=())
TIMES = np.arange(0, 2 * HOUR * 1000, 15_000, dtype=np.int64)
GAUGE = Series({"__name__": "g"}, TIMES, np.where(TIMES // 1000 >= HOUR, 1.0, 0.0))


def _play(*rules: dict[str, Any], scenario: Scenario = EMPTY, query: str = "g") -> Outcome:
    files = {"rules": {"groups": [{"name": "rules", "rules": list(rules)}]}}
    queries = [Query(name="q", expr=query, times=(2 * HOUR - MINUTE,))]
    return run(scenario, [RuleSet(name="rules", files=files)], queries, series=[GAUGE])


ALERT = {"alert": "High", "expr": "g > 0", "for": "5m", "labels": {"severity": "page"}}


def test_alert_fires_after_its_for() -> None:
    """An alert fires after the time of its `for`, at an evaluation."""
    (firing,) = _play(ALERT).firings

    assert ("High", "page", None) == (firing.alert, firing.severity, firing.stop)
    assert 5 * MINUTE <= firing.start - HOUR <= 7 * MINUTE


def test_stalled_rules_are_late() -> None:
    """Rules that are not evaluated for half an hour fire afterwards."""
    stalled = replace(EMPTY, stalled=((HOUR, HOUR + 30 * MINUTE),))

    (firing,) = _play({**ALERT, "for": "0s"}, scenario=stalled).firings

    assert 30 * MINUTE <= firing.start - HOUR <= 31 * MINUTE


def test_alert_fires_again_after_restart_of_server() -> None:
    """A restart of the server ends an alert, which fires again."""
    down = replace(EMPTY, down=((HOUR + 10 * MINUTE, HOUR + 20 * MINUTE),))

    first, second = _play({**ALERT, "for": "0s"}, scenario=down).firings

    assert first.stop is not None
    assert 20 * MINUTE <= second.start - HOUR <= 22 * MINUTE


def test_history_is_recorded_outside_of_watched_spans() -> None:
    """A recording whose past is read is evaluated always; an alert in watched spans only."""
    watched = replace(EMPTY, watched=((2 * HOUR - 10 * MINUTE, 2 * HOUR),))
    record = {"record": "r", "expr": "g"}
    alert = {"alert": "Sum", "expr": "sum_over_time(r[30m]) > 25"}

    found = _play(record, alert, scenario=watched, query="count_over_time(r[90m])")

    assert 90 == pytest.approx(found.value("q", 2 * HOUR - MINUTE), abs=2)
    assert 2 * HOUR - 10 * MINUTE <= found.firings[0].start


def test_samples_of_rules_are_counted_while_watched() -> None:
    """The samples that rules read are counted in watched spans only."""
    watched = replace(EMPTY, watched=((2 * HOUR - 10 * MINUTE, 2 * HOUR),))
    record = {"record": "r", "expr": "sum_over_time(g[5m])"}

    assert 10 * 20 == _play(record, scenario=watched).samples_read["rules"]


def test_error_of_rule_is_reported() -> None:
    """An error of a rule is reported with the number of evaluations."""
    both = {"record": "r", "expr": 'g * on () {__name__=~"g|ALERTS"}'}

    errors = _play(both, {**ALERT, "for": "0s"}).errors

    assert ["rules: r"] == [text[:8] for text in errors]


def test_invalid_rules_are_error_of_engine() -> None:
    """Rules that Prometheus refuses are an error with its text."""
    with pytest.raises(RuntimeError, match="parse error"):
        _play({"record": "r", "expr": "sum("})


def test_result_is_kept_for_equal_input(tmp_path: Path) -> None:
    """A second run with the same input reads the result of the first."""
    files = {"rules": {"groups": [{"name": "rules", "rules": [ALERT]}]}}
    sets = [RuleSet(name="rules", files=files)]

    first = run(EMPTY, sets, series=[GAUGE], cache=tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_text(kept.read_text().replace('"High"', '"Kept"'))

    assert "High" == first.firings[0].alert
    assert "Kept" == run(EMPTY, sets, series=[GAUGE], cache=tmp_path).firings[0].alert

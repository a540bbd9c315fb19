from __future__ import annotations

import re
from typing import Any

import promql_parser as promql
import pytest

from tests.render.dashboards.labels import grouping, kept_by, labels_kept, selectors
from tests.render.dashboards.support import ALL, Target, choices, known_series, targets

TARGETS = [pytest.param(target, id=target.where) for target in targets()]
CHOICES = sorted(set(choices()))


def _strange(selector: Any) -> set[str]:
    """Labels that a selector asks for in vain; what "All" stands for is met by none as well."""
    matchers = selector.matchers.matchers
    asked = {m.name for m in matchers if (m.op, m.value) != (promql.MatchOp.Re, ALL)}
    return asked - known_series()[selector.name]


class TestTargets:
    @pytest.mark.parametrize("target", TARGETS)
    def test_names(self, target: Target) -> None:
        """Every query parses, and asks for series that instruments or rules make."""
        names = {selector.name for selector in selectors(target.expr)}

        assert set() == names - known_series().keys()
        assert names

    @pytest.mark.parametrize("target", TARGETS)
    def test_matchers(self, target: Target) -> None:
        """Every label that a query asks for is one that the series bear."""
        strange = [_strange(selector) for selector in selectors(target.expr)]

        assert set() == set().union(*strange)

    @pytest.mark.parametrize("target", TARGETS)
    def test_grouping(self, target: Target) -> None:
        """Every label that a query keeps apart is one that the series bear."""
        strange = [by - kept_by(inner, known_series()) for inner, by in grouping(target.expr)]

        assert set() == set().union(*strange)

    @pytest.mark.parametrize("target", TARGETS)
    def test_legends(self, target: Target) -> None:
        """A legend shows labels that the query keeps, and no others."""
        shown = set(re.findall(r"{{(\w+)}}", target.legend))

        assert set() == shown - labels_kept(target.expr, known_series())

    @pytest.mark.parametrize("target", TARGETS)
    def test_expanded(self, target: Target) -> None:
        """A query has no variable but those that its dashboards have."""
        assert "$" not in target.expr


class TestChoices:
    @pytest.mark.parametrize(("series", "label"), CHOICES)
    def test_label(self, series: str, label: str) -> None:
        """A variable's values are those of a label that its series bear."""
        assert label in labels_kept(series, known_series())


class TestThisTest:
    @pytest.mark.parametrize(
        "expr",
        [
            'orders_placed_total{chanel="web"}',
            'slo:objective:ratio{service_name="checkout"}',
        ],
    )
    def test_strange_label(self, expr: str) -> None:
        """A label that a series lacks is found."""
        assert [1] == [len(_strange(selector)) for selector in selectors(expr)]

    def test_lost_label(self) -> None:
        """A label that an aggregation drops is not kept."""
        kept = labels_kept("sum by (channel) (orders_placed_total)", known_series())

        assert {"channel"} == kept

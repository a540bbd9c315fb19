from __future__ import annotations

import re
from typing import Any

import promql_parser as promql
import pytest

from tests.render.dashboards.promql_labels import groupings, node_labels, result_labels, selectors
from tests.render.dashboards.rendered_dashboards import ALL, Target, choices, known_series, targets

TARGETS = [pytest.param(target, id=target.where) for target in targets()]
CHOICES = sorted(set(choices()))


def _unknown_labels(selector: Any) -> set[str]:
    """Return the labels of matchers that no series has; "All" matches series without the label."""
    matchers = selector.matchers.matchers
    names = {m.name for m in matchers if (m.op, m.value) != (promql.MatchOp.Re, ALL)}
    return names - known_series()[selector.name]


class TestTargets:
    @pytest.mark.parametrize("target", TARGETS)
    def test_every_query_selects_existing_series(self, target: Target) -> None:
        """Every query parses, and selects series that instruments or rules produce."""
        names = {selector.name for selector in selectors(target.expr)}

        assert set() == names - known_series().keys()
        assert names

    @pytest.mark.parametrize("target", TARGETS)
    def test_matched_labels_are_labels_of_selected_series(self, target: Target) -> None:
        """Every label that a query matches is a label of the selected series."""
        unknown = [_unknown_labels(selector) for selector in selectors(target.expr)]

        assert set() == set().union(*unknown)

    @pytest.mark.parametrize("target", TARGETS)
    def test_grouping_labels_are_labels_of_aggregated_series(self, target: Target) -> None:
        """Every grouping label of a query is a label of the aggregated series."""
        unknown = [by - node_labels(inner, known_series()) for inner, by in groupings(target.expr)]

        assert set() == set().union(*unknown)

    @pytest.mark.parametrize("target", TARGETS)
    def test_legend_shows_only_labels_of_result(self, target: Target) -> None:
        """A legend shows only labels of the query's result."""
        shown = set(re.findall(r"{{(\w+)}}", target.legend))

        assert set() == shown - result_labels(target.expr, known_series())

    @pytest.mark.parametrize("target", TARGETS)
    def test_query_uses_only_variables_of_dashboards(self, target: Target) -> None:
        """A query uses only variables of the dashboards."""
        assert "$" not in target.expr


class TestChoices:
    @pytest.mark.parametrize(("series", "label"), CHOICES)
    def test_variable_lists_values_of_existing_label(self, series: str, label: str) -> None:
        """A variable lists the values of an existing label."""
        assert label in result_labels(series, known_series())


class TestNegativeControls:
    @pytest.mark.parametrize(
        "expr",
        [
            'orders_placed_total{chanel="web"}',
            'slo:objective:ratio{owner="checkout"}',
        ],
    )
    def test_matcher_of_label_that_series_lacks_is_detected(self, expr: str) -> None:
        """A matcher of a label that the series lacks is detected."""
        assert [1] == [len(_unknown_labels(selector)) for selector in selectors(expr)]

    def test_result_of_aggregation_has_only_grouping_labels(self) -> None:
        """The result of an aggregation has only the grouping labels."""
        labels = result_labels("sum by (channel) (orders_placed_total)", known_series())

        assert {"channel"} == labels

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Literal

import pytest

from otel_meta import Counter, Duration, Gauge, Histogram, NoLabels, UpDownCounter, labels, measures
from otel_meta.errors import DeclarationError
from otel_meta.model import Instrument, Selector
from otel_meta.model.measure import (
    Increase,
    Latest,
    Measure,
    OverTime,
    Quantile,
    Rate,
    RelativeChange,
    Share,
)


@labels
class Request:
    route: str
    method: Literal["GET", "POST"]


REQUESTS = Counter("atlas.requests", "Requests.", Request)
LATENCY = Histogram("atlas.latency", "Latency.", Request, unit="s", buckets=(0.1, 1))
SPEED = Gauge("atlas.speed", "Speed.", Request)
DEPTH = UpDownCounter("atlas.depth", "Depth.", Request)

WEEK = Duration("7d")
SERVICE = ("service_name",)

BY: dict[str, Callable[[tuple[str, ...]], Measure]] = {
    "latest": lambda by: measures.latest(SPEED, by=by),
    "over_time": lambda by: measures.over_time(SPEED, "avg", "7d", by=by),
    "quantile": lambda by: measures.quantile(LATENCY, "0.99", "7d", by=by),
    "rate": lambda by: measures.rate(REQUESTS, "7d", by=by),
    "increase": lambda by: measures.increase(REQUESTS, "7d", by=by),
    "share": lambda by: measures.share(REQUESTS.where(method="GET"), REQUESTS, "7d", by=by),
}

OF: dict[str, Callable[[Instrument[...]], Measure]] = {
    "latest": measures.latest,
    "over_time": lambda of: measures.over_time(of, "avg", "7d"),
    "quantile": lambda of: measures.quantile(of, "0.99", "7d"),
    "rate": lambda of: measures.rate(of, "7d"),
    "increase": lambda of: measures.increase(of, "7d"),
    "share-part": lambda of: measures.share(of, REQUESTS, "7d"),
    "share-whole": lambda of: measures.share(REQUESTS, of, "7d"),
}


class TestMade:
    def test_default_of_current_value_is_maximum_by_service(self) -> None:
        """The default of a current value is the maximum by service."""
        assert Latest(Selector(SPEED), "max", SERVICE) == measures.latest(SPEED)

    def test_default_of_gauge_over_time_is_average_by_service(self) -> None:
        """The default of a gauge over time is the average by service."""
        assert OverTime(Selector(SPEED), "max", WEEK, "avg", SERVICE) == measures.over_time(
            SPEED, "max", "7d"
        )

    def test_aggregation_of_series_is_argument(self) -> None:
        """The aggregation of series is an argument."""
        declared = (
            measures.latest(DEPTH, aggregation="sum"),
            measures.over_time(DEPTH, "min", "7d", aggregation="sum"),
        )

        assert ["sum", "sum"] == [measure.aggregation for measure in declared]

    def test_quantile_is_exact_fraction(self) -> None:
        """A quantile is an exact fraction."""
        expected = Quantile(Selector(LATENCY), Fraction(99, 100), WEEK, SERVICE)

        assert expected == measures.quantile(LATENCY, "0.99", "7d")

    def test_rate_reads_counter_over_duration(self) -> None:
        """A rate reads a counter over a duration."""
        assert Rate(Selector(REQUESTS), WEEK, SERVICE) == measures.rate(REQUESTS, "7d")

    def test_increase_reads_counter_or_histogram(self) -> None:
        """An increase reads a counter or a histogram."""
        assert Increase(Selector(LATENCY), WEEK, SERVICE) == measures.increase(LATENCY, "7d")

    def test_share_reads_its_part_and_its_whole(self) -> None:
        """A share reads its part and its whole."""
        part = REQUESTS.where(method="GET")
        made = measures.share(part, REQUESTS, "7d")

        assert Share(part, Selector(REQUESTS), WEEK, SERVICE) == made
        assert [part, Selector(REQUESTS)] == list(made.selectors())

    def test_relative_change_reads_series_of_its_measure_with_its_grouping(self) -> None:
        """A relative change reads the series of its measure, with its grouping."""
        of = measures.rate(REQUESTS, "1h", by=("route",))
        made = measures.relative_change(of, "7d")

        assert RelativeChange(of, WEEK) == made
        assert [Selector(REQUESTS)] == list(made.selectors())
        assert ("route",) == made.by


class TestBy:
    @pytest.mark.parametrize("make", BY.values(), ids=BY)
    def test_labels_of_metric_and_of_identity_can_group_a_measure(
        self, make: Callable[[tuple[str, ...]], Measure]
    ) -> None:
        """Labels of the metric and of identity can group a measure, and so can none."""
        assert [("route", "service_name", "service_namespace"), ()] == [
            make(("route", "service_name", "service_namespace")).by,
            make(()).by,
        ]

    @pytest.mark.parametrize("make", BY.values(), ids=BY)
    def test_label_that_metric_lacks_is_refused_with_labels_of_metric(
        self, make: Callable[[tuple[str, ...]], Measure]
    ) -> None:
        """A label that the metric lacks is refused with the labels of the metric."""
        with pytest.raises(
            DeclarationError, match=r"metric 'atlas\.\w+': has no label 'pod'.*'method', 'route'"
        ):
            make(("pod",))

    def test_label_that_one_side_of_share_lacks_is_refused(self) -> None:
        """A label that one side of a share lacks is refused."""
        bare = Counter("atlas.bare", "Bare.", NoLabels)

        with pytest.raises(DeclarationError, match=r"metric 'atlas\.bare': has no label 'route'"):
            measures.share(bare, REQUESTS, "7d", by=("route",))
        with pytest.raises(DeclarationError, match=r"metric 'atlas\.bare': has no label 'route'"):
            measures.share(REQUESTS, bare, "7d", by=("route",))


class TestRefused:
    @pytest.mark.parametrize(
        ("make", "of"),
        [
            pytest.param(OF[name], of, id=f"{name}-{of.kind}")
            for name, kinds in {
                "latest": (REQUESTS, LATENCY),
                "over_time": (REQUESTS, LATENCY),
                "quantile": (REQUESTS, SPEED, DEPTH),
                "rate": (SPEED, DEPTH),
                "increase": (SPEED, DEPTH),
                "share-part": (SPEED, DEPTH),
                "share-whole": (SPEED, DEPTH),
            }.items()
            for of in kinds
        ],
    )
    def test_metric_of_another_kind_is_refused_with_needed_kind(
        self, make: Callable[[Instrument[...]], Measure], of: Instrument[...]
    ) -> None:
        """A metric of another kind is refused with the kind that the measure needs."""
        with pytest.raises(
            DeclarationError,
            match=rf"metric '{of.name}': is a {of.kind}; give this measure one of these kinds: \w+",
        ):
            make(of)

    @pytest.mark.parametrize("q", ["0", "1", "99", "-0.5", "99%", "P99", ""])
    def test_quantile_outside_0_to_1_is_refused_with_example(self, q: str) -> None:
        """A quantile outside 0 to 1 is refused with an example."""
        with pytest.raises(DeclarationError, match=rf'quantile \'{q}\': is not.*P99 as "0\.99"'):
            measures.quantile(LATENCY, q, "7d")

    @pytest.mark.parametrize("over", ["", "week", "7"])
    def test_text_that_is_no_duration_is_refused(self, over: str) -> None:
        """Text that is no duration is refused."""
        with pytest.raises(DeclarationError, match=rf"duration '{over}'"):
            measures.rate(REQUESTS, over)
        with pytest.raises(DeclarationError, match=rf"duration '{over}'"):
            measures.relative_change(measures.rate(REQUESTS, "7d"), over)

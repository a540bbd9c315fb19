from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, Summary
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)

from otel_meta.runtime.prometheus.client_lines import composite_lines
from tests.runtime.prometheus.openmetrics2_parser import Family, parse_openmetrics2

BUCKETS = [("0.5", 1.0), ("+Inf", 4.0)]


def lines(metric: Metric) -> list[str]:
    """Render a family, without the descriptions."""
    text = composite_lines(metric, metric.name)
    return [line for line in text.splitlines() if not line.startswith("# HELP")]


def parsed(metric: Metric) -> Family:
    """Render a family of one name and parse it."""
    (family,) = parse_openmetrics2(composite_lines(metric, metric.name) + "# EOF\n")
    return family


class TestTypes:
    @pytest.mark.parametrize(
        ("metric", "expected"),
        [
            (
                CounterMetricFamily("c", "C.", 3, created=1.5),
                ["# TYPE c_total counter", "c_total 3.0 st@1.5"],
            ),
            (
                GaugeMetricFamily("g_seconds", "G.", -1, unit="seconds"),
                ["# TYPE g_seconds gauge", "# UNIT g_seconds seconds", "g_seconds -1.0"],
            ),
            (
                InfoMetricFamily("i", "I.", {"v": 'a"b'}),
                ["# TYPE i_info info", r'i_info{v="a\"b"} 1.0'],
            ),
            (
                HistogramMetricFamily("h", "H.", BUCKETS, 5.5),
                ["# TYPE h histogram", "h {count:4.0,sum:5.5,bucket:[0.5:1.0,+Inf:4.0]}"],
            ),
            (
                GaugeHistogramMetricFamily("h", "H.", BUCKETS, 5.5),
                ["# TYPE h gaugehistogram", "h {gcount:4.0,gsum:5.5,bucket:[0.5:1.0,+Inf:4.0]}"],
            ),
            (
                SummaryMetricFamily("s", "S.", 3, 4.5),
                ["# TYPE s summary", "s {count:3.0,sum:4.5,quantile:[]}"],
            ),
        ],
    )
    def test_family_has_lines_of_its_type(self, metric: Metric, expected: list[str]) -> None:
        """A family has the lines of its type."""
        assert expected == lines(metric)

    @pytest.mark.parametrize(
        "use",
        [
            lambda registry: Counter("c", "C.", registry=registry).inc(),
            lambda registry: Histogram("c", "C.", registry=registry).observe(1),
            lambda registry: Summary("c", "C.", registry=registry).observe(1),
        ],
    )
    def test_created_sample_becomes_start(self, use: Callable[[CollectorRegistry], None]) -> None:
        """A sample ``_created`` of prometheus_client becomes the start of its series."""
        registry = CollectorRegistry()
        use(registry)
        (metric,) = registry.collect()
        (created,) = {each.value for each in metric.samples if each.name == "c_created"}

        assert {created} == {each.start for each in parsed(metric).samples}

    def test_exemplars_of_buckets_are_in_line_of_histogram(self) -> None:
        """Exemplars with a time are in the line of their histogram; others have no syntax."""
        registry = CollectorRegistry()
        histogram: Any = Histogram("h", "H.", buckets=(1, 2), registry=registry)
        histogram.observe(1.5, {"trace_id": "abc"})
        (metric,) = registry.collect()

        assert {"2.0": (1.5,)} == {
            each.labels["le"]: each.exemplars for each in parsed(metric).samples if each.exemplars
        }


class TestFallback:
    @pytest.mark.parametrize(
        "metric",
        [
            HistogramMetricFamily("h", "H.", BUCKETS, None),
            HistogramMetricFamily("h", "H.", [("1.0", 2.0), ("0.5", 1.0), ("+Inf", 2.0)], 3.0),
            HistogramMetricFamily("h", "H.", [("-1.0", -2.0), ("+Inf", 2.0)], 3.0),
        ],
    )
    def test_family_against_rules_of_type_is_untyped(self, metric: Metric) -> None:
        """A family against the rules of its type is written as samples without a type."""
        families = parse_openmetrics2(composite_lines(metric, "h") + "# EOF\n")
        expected = sorted((each.name, repr(each.value)) for each in metric.samples)

        assert {"unknown"} == {family.type for family in families}
        assert expected == sorted(
            (each.name, repr(each.value)) for family in families for each in family.samples
        )

    @pytest.mark.parametrize("value", [0.0, math.nan])
    def test_info_with_other_value_is_untyped(self, value: float) -> None:
        """An info with another value than one is written without a type."""
        metric = Metric("i", "I.", "info")
        metric.add_sample("i_info", {}, value)

        assert [f"i_info {'NaN' if math.isnan(value) else value}"] == lines(metric)

    def test_series_with_several_timestamps_is_untyped(self) -> None:
        """A histogram whose samples have several timestamps is written without a type."""
        metric = HistogramMetricFamily("h", "H.", BUCKETS, 5.5)
        metric.samples[0] = metric.samples[0]._replace(timestamp=12.5)

        assert 'h_bucket{le="0.5"} 1.0 12.5' == lines(metric)[0]
        assert 4 == len(lines(metric))

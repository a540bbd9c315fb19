"""The names, labels and values of selectors."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.check.finding import Diagnostic

Diagnose = Callable[..., list[Diagnostic]]

KEPT = ("atlas:requests:rate5m", "sum by (method) (rate(atlas_requests_total[5m]))", {"team": "a"})


class TestNames:
    @pytest.mark.parametrize(
        "expr",
        [
            "atlas_requests_total",
            "atlas_latency_seconds_sum",
            '{__name__="atlas_tiles"}',
            '{"atlas_tiles",layer="roads"}',
            '{__name__=~"atlas_tiles|atlas_latency_.*"}',
            '{job="x"}',
            "up",
            'up{cluster="any"}',
            "target_info",
            "scrape_duration_seconds",
            "otel_meta_up",
            'otel_meta_faults_total{source="x"}',
            'ALERTS{alertname="Any",alertstate="firing"}',
            "ALERTS_FOR_STATE",
            'slo:error_ratio:1h{slo="atlas-availability"}',
            "atlas:requests:rate5m",
            "1",
            "vector(1)",
        ],
    )
    def test_declared_recorded_generated_and_external_series_are_known(
        self, expr: str, diagnose: Diagnose
    ) -> None:
        """Declared, recorded, generated and external series are known."""
        assert [] == diagnose(expr, KEPT)

    @pytest.mark.parametrize(
        ("expr", "near"),
        [
            ("atlas_request_total", "atlas_requests_total"),
            ("atlas_requests", "atlas_requests_total"),
            ("sum(rate(atlas_latency_seconds_buckets[5m]))", "atlas_latency_seconds_bucket"),
            ("otel_meta_upp", "otel_meta_up"),
            ("ALERT", "ALERTS"),
            ('{__name__=~"atlas_tile|atlas_.*"}', "atlas_tiles"),
            ('{__name__="atlas_tile"}', "atlas_tiles"),
            ("zzz", ""),
        ],
    )
    def test_unknown_metric_is_reported_with_suggestion(
        self, expr: str, near: str, diagnose: Diagnose
    ) -> None:
        """An unknown metric is reported with a suggestion."""
        (diagnostic,) = diagnose(expr)

        assert ("metric", near) == (diagnostic.kind, diagnostic.suggestion)

    @pytest.mark.parametrize("expr", ["atlas:requests:rate5", "absent(atlas:requests:rate5)"])
    def test_series_without_recording_rule_is_reported(self, expr: str, diagnose: Diagnose) -> None:
        """A series without a recording rule is reported."""
        (diagnostic,) = diagnose(expr, KEPT)

        assert Diagnostic(
            "recording", "no rule records atlas:requests:rate5", "atlas:requests:rate5m"
        ) == (diagnostic)


class TestLabels:
    @pytest.mark.parametrize(
        ("expr", "near"),
        [
            ('atlas_requests_total{methd="GET"}', "method"),
            ('atlas_requests_total{service_="x"}', "service_name"),
            ('atlas_requests_total{le="0.1"}', ""),
            ('atlas_latency_seconds_count{le="0.1"}', ""),
            ('atlas:requests:rate5m{route="/"}', ""),
            ('atlas:requests:rate5m{tean="a"}', "team"),
            ('slo:bad:increase5m{sloo="a"}', "slo"),
            ('otel_meta_up{servce_name="a"}', "service_name"),
            ('atlas_requests_total{methd=""}', "method"),
        ],
    )
    def test_unknown_label_of_selector_is_reported_with_suggestion(
        self, expr: str, near: str, diagnose: Diagnose
    ) -> None:
        """An unknown label of a selector is reported with a suggestion."""
        (diagnostic,) = diagnose(expr, KEPT)

        assert ("label", near) == (diagnostic.kind, diagnostic.suggestion)


class TestValues:
    @pytest.mark.parametrize(
        "matcher",
        [
            'method="GET"',
            'method!="GET"',
            'method=~"GET|POST"',
            'method=~"(GET|POST)"',
            'method=~"P.*"',
            'method!~"P.+"',
            'method=~".+"',
            'method!=""',
            'method="_OTHER"',
            'route="/any"',
            'route=~"/any|/thing"',
            'error=""',
            'error!=""',
            'service_namespace="atlas-maps"',
            'service_namespace=~"atlas.*"',
            'le="0.1"',
            'le="1"',
            'le="1.0"',
            r'le=~"1(\\.0)?"',
            r'le=~"0.1|10(\\.0)?"',
            'le="+Inf"',
            r'method=~"\\pL+"',
        ],
    )
    def test_possible_label_values_are_accepted(self, matcher: str, diagnose: Diagnose) -> None:
        """Possible label values are accepted."""
        assert [] == diagnose(f"atlas_latency_seconds_bucket{{{matcher}}}")

    @pytest.mark.parametrize(
        ("matcher", "wrong", "near"),
        [
            ('method="GOT"', "GOT", "GET"),
            ('method!="GOT"', "GOT", "GET"),
            ('method=~"GOT"', "GOT", "GET"),
            ('method=~"GET|POSTS"', "POSTS", "POST"),
            ('method!~"GET|POSTS"', "POSTS", "POST"),
            ('method=~"(?:GET|POSTS)"', "POSTS", "POST"),
            ('method=~"G..."', "G...", ""),
            ('method="get"', "get", "GET"),
            ('service_namespace="atlas-map"', "atlas-map", "atlas-maps"),
            ('le="0.2"', "0.2", "0.1"),
            ('le="2.50"', "2.50", "2.5"),
            (r'le=~"5(\\.0)?"', r"5(\.0)?", ""),
        ],
    )
    def test_impossible_label_value_is_reported_with_suggestion(
        self, matcher: str, wrong: str, near: str, diagnose: Diagnose
    ) -> None:
        """An impossible label value is reported with a suggestion."""
        (diagnostic,) = diagnose(f"atlas_latency_seconds_bucket{{{matcher}}}")

        assert ("value", near) == (diagnostic.kind, diagnostic.suggestion)
        assert f'is never "{wrong}"' in diagnostic.message

    @pytest.mark.parametrize(
        "matchers",
        [
            'method="GET",method="POST"',
            'method=~"P.*",method!="POST"',
            'method=""',
            'route=""',
            'error="a",error="b"',
            'error=~"a|b",error!~"b|a"',
        ],
    )
    def test_matchers_that_contradict_each_other_are_reported(
        self, matchers: str, diagnose: Diagnose
    ) -> None:
        """Matchers that contradict each other are reported."""
        (diagnostic,) = diagnose(f"atlas_requests_total{{{matchers}}}")

        assert "selector" == diagnostic.kind

    def test_selector_mixes_no_labels_of_different_rules(self, diagnose: Diagnose) -> None:
        """A selector mixes no labels of different rules."""
        rules = [
            ("atlas:a:b", "vector(1)", {"slo": "one", "team": "red"}),
            ("atlas:a:b", "vector(1)", {"slo": "two", "team": "blue"}),
        ]
        (diagnostic,) = diagnose('atlas:a:b{slo="one",team="blue"}', *rules)

        assert "selector" == diagnostic.kind
        assert [] == diagnose('atlas:a:b{slo="two",team="blue"}', *rules)

    def test_wrong_value_causes_one_finding(self, diagnose: Diagnose) -> None:
        """A wrong value causes one finding."""
        expr = 'atlas_requests_total{method="GOT"} and atlas_requests_total{method="POST"}'

        assert ["value"] == [p.kind for p in diagnose(expr)]

    def test_each_group_of_matchers_joined_by_or_is_checked(self, diagnose: Diagnose) -> None:
        """Each group of matchers joined by or is checked."""
        expr = 'atlas_requests_total{method="GET" or method="POST"}'

        assert [] == diagnose(expr)
        assert ["value"] == [p.kind for p in diagnose(expr.replace("POST", "PUSH"))]


@given(st.text(max_size=30))
def test_any_text_is_checked_without_exception(diagnose: Diagnose, text: str) -> None:
    """Any text is checked without an exception."""
    assert isinstance(diagnose(text), list)


NAMES = st.sampled_from(
    ["atlas_requests_total", "atlas_tiles", "slo:bad:increase5m", "nobody", "atlas:a:b", "up"]
)
LABELS = st.sampled_from(["method", "le", "slo", "nobody", "__name__", "service_name"])
VALUES = st.text('GET|.*+?()[]^$\\"1', max_size=6)
OPERATORS = st.sampled_from(["=", "!=", "=~", "!~"])


@st.composite
def selectors(draw: st.DrawFn) -> str:
    """Draw a selector with any mistakes."""
    matchers = draw(st.lists(st.tuples(LABELS, OPERATORS, VALUES), max_size=3))
    inside = ",".join(f"{label}{op}'{value}'" for label, op, value in matchers)
    return f"{draw(NAMES)}{{{inside}}}"


JOINS = [
    "and",
    "or",
    "unless",
    "/",
    "> bool",
    "== on (slo)",
    "/ ignoring (method) group_left (team)",
    "* on (nobody) group_right",
]


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Combine expressions."""
    functions = ["rate({}[5m:1m])", "sum by (slo, le) ({})", "absent({})", "topk(2, {})", "-{}"]
    functions += ["histogram_quantile(0.9, {})", "count_values('v', {})", "({})", "{} > 1"]
    functions += ["label_replace({}, 'a', '$1', 'slo', '(.*)')", "label_join({}, 'a', '', 'b')"]
    functions += ["max without (method) ({})", "scalar({})", "vector(scalar({}))", "sort({})"]
    return st.one_of(
        st.builds(str.format, st.sampled_from(functions), inner),
        st.builds("({}) {} ({})".format, inner, st.sampled_from(JOINS), inner),
    )


@given(st.recursive(selectors(), grown, max_leaves=6))
def test_any_expression_is_checked_without_exception(diagnose: Diagnose, expr: str) -> None:
    """Any expression is checked without an exception."""
    assert isinstance(diagnose(expr, KEPT, ("atlas:a:b", "atlas:a:b offset 1m")), list)


def test_deep_nesting_and_long_text_are_findings(diagnose: Diagnose) -> None:
    """Deep nesting and long text are findings."""
    (deep,), (long,) = diagnose("(" * 4000 + "up" + ")" * 4000), diagnose("-" * 30000 + "up")

    assert ("expression", "expression") == (deep.kind, long.kind)


@pytest.mark.parametrize("expr", ["", "sum(", "rate(atlas_tiles)", "nobody(up)", "1 and up"])
def test_invalid_promql_is_finding(expr: str, diagnose: Diagnose) -> None:
    """Invalid PromQL is a finding."""
    (diagnostic,) = diagnose(expr)

    assert "expression" == diagnostic.kind

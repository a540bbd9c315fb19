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
    def test_known(self, expr: str, diagnose: Diagnose) -> None:
        """What is declared, recorded, generated or anybody's is a series."""
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
    def test_unknown(self, expr: str, near: str, diagnose: Diagnose) -> None:
        """A metric that nobody declares is named, with the one that was meant."""
        (diagnostic,) = diagnose(expr)

        assert ("metric", near) == (diagnostic.kind, diagnostic.suggestion)

    @pytest.mark.parametrize("expr", ["atlas:requests:rate5", "absent(atlas:requests:rate5)"])
    def test_not_recorded(self, expr: str, diagnose: Diagnose) -> None:
        """A recording needs a producer."""
        (diagnostic,) = diagnose(expr, KEPT)

        assert Diagnostic(
            "recording", "no rule records atlas:requests:rate5", "atlas:requests:rate5m"
        ) == (diagnostic)


class TestLabels:
    @pytest.mark.parametrize(
        ("expr", "near"),
        [
            ('atlas_requests_total{methd="GET"}', "method"),
            ('atlas_requests_total{service="x"}', "service_name"),
            ('atlas_requests_total{le="0.1"}', ""),
            ('atlas_latency_seconds_count{le="0.1"}', ""),
            ('atlas:requests:rate5m{route="/"}', ""),
            ('atlas:requests:rate5m{tean="a"}', "team"),
            ('slo:bad:increase5m{sloo="a"}', "slo"),
            ('otel_meta_up{servce_name="a"}', "service_name"),
            ('atlas_requests_total{methd=""}', "method"),
        ],
    )
    def test_unknown(self, expr: str, near: str, diagnose: Diagnose) -> None:
        """A label that the series lacks is named, with the one that was meant."""
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
    def test_right(self, matcher: str, diagnose: Diagnose) -> None:
        """Values of the closed set, any of an open label, and bounds in either spelling."""
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
            ('method="get"', "get", ""),
            ('service_namespace="atlas-map"', "atlas-map", "atlas-maps"),
            ('le="0.2"', "0.2", "0.1"),
            ('le="2.50"', "2.50", "2.5"),
            (r'le=~"5(\\.0)?"', r"5(\.0)?", ""),
        ],
    )
    def test_wrong(self, matcher: str, wrong: str, near: str, diagnose: Diagnose) -> None:
        """A value outside the closed set is named, with the one that was meant."""
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
    def test_contradiction(self, matchers: str, diagnose: Diagnose) -> None:
        """Values that no series has at once are a mistake, each right by itself."""
        (diagnostic,) = diagnose(f"atlas_requests_total{{{matchers}}}")

        assert "selector" == diagnostic.kind

    def test_recorded(self, diagnose: Diagnose) -> None:
        """A recording has the labels of one of its rules, not some of each."""
        rules = [
            ("atlas:a:b", "vector(1)", {"slo": "one", "team": "red"}),
            ("atlas:a:b", "vector(1)", {"slo": "two", "team": "blue"}),
        ]
        (diagnostic,) = diagnose('atlas:a:b{slo="one",team="blue"}', *rules)

        assert "selector" == diagnostic.kind
        assert [] == diagnose('atlas:a:b{slo="two",team="blue"}', *rules)

    def test_nothing_follows(self, diagnose: Diagnose) -> None:
        """From a wrong value no other finding follows: one mistake is one finding."""
        expr = 'atlas_requests_total{method="GOT"} and atlas_requests_total{method="POST"}'

        assert ["value"] == [p.kind for p in diagnose(expr)]

    def test_or(self, diagnose: Diagnose) -> None:
        """Matchers that VictoriaMetrics joins with or are held one group at a time."""
        expr = 'atlas_requests_total{method="GET" or method="POST"}'

        assert [] == diagnose(expr)
        assert ["value"] == [p.kind for p in diagnose(expr.replace("POST", "PUSH"))]


@given(st.text(max_size=30))
def test_any_text(diagnose: Diagnose, text: str) -> None:
    """Any text is an expression, or a finding; never an error."""
    assert isinstance(diagnose(text), list)


NAMES = st.sampled_from(
    ["atlas_requests_total", "atlas_tiles", "slo:bad:increase5m", "nobody", "atlas:a:b", "up"]
)
LABELS = st.sampled_from(["method", "le", "slo", "nobody", "__name__", "service_name"])
VALUES = st.text('GET|.*+?()[]^$\\"1', max_size=6)
OPERATORS = st.sampled_from(["=", "!=", "=~", "!~"])


@st.composite
def selectors(draw: st.DrawFn) -> str:
    """A selector that may be wrong in any way."""
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
    """Expressions made of others."""
    functions = ["rate({}[5m:1m])", "sum by (slo, le) ({})", "absent({})", "topk(2, {})", "-{}"]
    functions += ["histogram_quantile(0.9, {})", "count_values('v', {})", "({})", "{} > 1"]
    functions += ["label_replace({}, 'a', '$1', 'slo', '(.*)')", "label_join({}, 'a', '', 'b')"]
    functions += ["max without (method) ({})", "scalar({})", "vector(scalar({}))", "sort({})"]
    return st.one_of(
        st.builds(str.format, st.sampled_from(functions), inner),
        st.builds("({}) {} ({})".format, inner, st.sampled_from(JOINS), inner),
    )


@given(st.recursive(selectors(), grown, max_leaves=6))
def test_any_expression(diagnose: Diagnose, expr: str) -> None:
    """Any expression can be read to its end, right or wrong."""
    assert isinstance(diagnose(expr, KEPT, ("atlas:a:b", "atlas:a:b offset 1m")), list)


def test_too_deep(diagnose: Diagnose) -> None:
    """What is nested beyond reason is a finding."""
    (deep,), (long,) = diagnose("(" * 4000 + "up" + ")" * 4000), diagnose("-" * 30000 + "up")

    assert ("expression", "expression") == (deep.kind, long.kind)


@pytest.mark.parametrize("expr", ["", "sum(", "rate(atlas_tiles)", "nobody(up)", "1 and up"])
def test_no_promql(expr: str, diagnose: Diagnose) -> None:
    """What Prometheus would refuse to load is a finding."""
    (diagnostic,) = diagnose(expr)

    assert "expression" == diagnostic.kind

from __future__ import annotations

import json
import re
from fractions import Fraction

import pytest

from otel_meta.model import PRESENT, Duration
from otel_meta.model.selector import Matcher
from otel_meta.render.rules import promql_builder as promql
from tests.render.acme import Acme


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.001", Fraction(1, 1000)),
        ("0.0144", Fraction(144, 10_000)),
        ("0.1", 0.1),
        ("100", 1e2),
        ("80", 80),
        ("-1", -1),
        ("0", 0.0),
        ("0.00042857142857142855", Fraction(3, 7000)),
    ],
)
def test_number(text: str, value: Fraction | float) -> None:
    """Numbers are written as they were meant, and as floats are where they have no end."""
    assert text == promql.number(value)


@pytest.mark.parametrize("text", ['a"b', "a\\b", "a\nb", "ä", "{}"])
def test_quoted(text: str) -> None:
    """Whatever a value holds, it stays one string."""
    quoted = promql.quoted(text)

    assert "\n" not in quoted
    assert ('"', '"') == (quoted[0], quoted[-1])


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ('a="x"', Matcher("a", ("x",))),
        ('a=~"x|y"', Matcher("a", ("x", "y"))),
        (r'a=~"x\\.y|\\(z\\)"', Matcher("a", ("x.y", "(z)"))),
        ('a!=""', Matcher("a", PRESENT)),
    ],
)
def test_matcher(text: str, condition: Matcher) -> None:
    """A condition is a matcher; what regular expressions treat specially is taken as it is."""
    assert text == promql.matcher(condition)


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ('le="0.1"', 0.1),
        (r'le=~"1(\\.0)?"', 1.0),
        (r'le=~"86400(\\.0)?"', 86_400.0),
    ],
)
def test_bucket(text: str, bound: float) -> None:
    """A bucket is found by its bound, however the export path writes whole numbers."""
    assert text == promql.bucket(bound)


@pytest.mark.parametrize(
    ("bound", "spellings"),
    [
        (0.1, ["0.1"]),
        (1.0, ["1", "1.0"]),
        (86_400.0, ["86400", "86400.0"]),
        (1_048_576.0, ["1048576", "1048576.0", "1.048576e+06"]),
        (0.00001, ["0.00001", "1e-05"]),
    ],
)
def test_bucket_spellings(bound: float, spellings: list[str]) -> None:
    """A bucket is found as Prometheus writes it when it scrapes, and as OTLP brings it."""
    matcher = re.fullmatch(r'le(=~?)(".*")', promql.bucket(bound))
    assert matcher is not None
    operator, pattern = matcher.groups()
    wanted = json.loads(pattern)

    for text in spellings:
        assert re.fullmatch(wanted, text) if operator == "=~" else wanted == text


@pytest.mark.parametrize(
    ("summed", "counted", "span"),
    [
        ("sum_over_time(x[5m])", "sum_over_time(x[5m]) / 5", "5m"),
        ("sum_over_time(x[6h])", "sum_over_time(x[6h]) / 5", "6h"),
        ("sum_over_time(x[1d:5m])", "sum_over_time(x[1d:5m])", "1d"),
        ("sum_over_time(x[30d:5m])", "sum_over_time(x[30d:5m])", "30d"),
    ],
)
def test_sums(summed: str, counted: str, span: str) -> None:
    """Short spans are summed from every evaluation, long ones from one in five minutes."""
    assert summed == promql.sum_over("x", Duration(span))
    assert counted == promql.events_over("x", Duration(span))


def test_series() -> None:
    """Series are those of one meta-repository, whatever else is asked of them."""
    assert 'acme_calls_total{service_namespace="acme",outcome="ok"}' == promql.series_of(
        Acme.calls.where(outcome="ok"), "acme"
    )
    assert "x" == promql.selector("x")

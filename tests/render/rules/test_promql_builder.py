from __future__ import annotations

import json
import re
from fractions import Fraction

import pytest

from otel_meta.model import PRESENT, Duration
from otel_meta.model.selector import Matcher
from otel_meta.render.options import Options
from otel_meta.render.rules import promql_builder as promql
from otel_meta.render.rules.rule_formats import FORMATS
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
def test_numbers_are_written_in_exact_decimals_or_as_floats(
    text: str, value: Fraction | float
) -> None:
    """Numbers are written in exact decimals, or as floats if endless."""
    assert text == promql.number(value)


@pytest.mark.parametrize("text", ['a"b', "a\\b", "a\nb", "ä", "{}"])
def test_quoted_value_is_one_string(text: str) -> None:
    """A quoted value is one string."""
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
def test_matcher_escapes_special_characters(text: str, condition: Matcher) -> None:
    """A matcher escapes special characters."""
    assert text == promql.matcher(condition)


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ('le="0.1"', 0.1),
        (r'le=~"1(\\.0)?"', 1.0),
        (r'le=~"86400(\\.0)?"', 86_400.0),
    ],
)
def test_bucket_matcher_accepts_both_spellings_of_whole_numbers(text: str, bound: float) -> None:
    """A bucket matcher accepts both spellings of whole numbers."""
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
def test_bucket_matcher_accepts_every_spelling_of_prometheus_and_otlp(
    bound: float, spellings: list[str]
) -> None:
    """A bucket matcher accepts every spelling of Prometheus and OTLP."""
    matcher = re.fullmatch(r'le(=~?)(".*")', promql.bucket(bound))
    assert matcher is not None
    operator, pattern = matcher.groups()
    wanted = json.loads(pattern)

    for text in spellings:
        assert re.fullmatch(wanted, text) if operator == "=~" else wanted == text


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ((2, 42), "increase(x[1h] offset 1d)"),
        ((3, 15), "increase(x[1h] offset 1d)"),
        ((3, 16), "increase(x[1h] anchored offset 1d)"),
    ],
)
def test_increase_is_exact_where_prometheus_can(version: tuple[int, int], expected: str) -> None:
    """An increase is anchored, and so exact, from Prometheus 3.16 on."""
    options = Options(prometheus=version)

    assert expected == promql.increase("x", Duration("1h"), options, " offset 1d")


@pytest.mark.parametrize("form", FORMATS)
def test_increase_is_exact_only_in_formats_of_prometheus(form: str) -> None:
    """An increase is anchored only in the formats that Prometheus itself evaluates."""
    options = Options(prometheus=(3, 16), rule_format=form)
    exact = " anchored" in promql.increase("x", Duration("1h"), options)

    assert exact == (form in {"prometheus", "prometheus-operator", "helm"})


def test_one_of_several_values_is_pattern() -> None:
    """A matcher of one value is an equality; of several values, a pattern."""
    assert 'slo="a"' == promql.one_of("slo", ["a"])
    assert 'slo=~"a|b\\\\.c"' == promql.one_of("slo", ["a", "b.c"])


def test_vector_selector_names_one_meta_repository() -> None:
    """A vector selector names one meta-repository."""
    assert 'acme_calls_total{service_namespace="acme",outcome="ok"}' == promql.series_of(
        Acme.calls.where(outcome="ok"), "acme"
    )
    assert "x" == promql.selector("x")

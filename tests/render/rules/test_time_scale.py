from __future__ import annotations

import re
from fractions import Fraction

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.render.alertmanager import alertmanager
from otel_meta.render.artifacts import rule_files
from otel_meta.render.options import Options
from otel_meta.render.receivers import Receivers, Webhooks
from otel_meta.render.rules.rule import RuleFile
from otel_meta.render.rules.rule_formats import prometheus
from otel_meta.render.rules.time_scale import REAL_TIME, scaled_expression, scaled_span
from otel_meta.repos import BUILTIN
from tests.yaml_files import read_yaml

MINUTE_TO_SECOND = Fraction(1, 60)
FILES = list(rule_files(BUILTIN, Options()))
HOOKS = Webhooks(page="http://127.0.0.1:9/page", ticket="http://127.0.0.1:9/ticket")


class TestSpan:
    @pytest.mark.parametrize(
        ("text", "scale", "expected"),
        [
            ("5m", MINUTE_TO_SECOND, "5s"),
            ("30s", MINUTE_TO_SECOND, "500ms"),
            ("30d", MINUTE_TO_SECOND, "43200s"),
            ("1m", Fraction(1, 7), "8572ms"),
            ("1s", Fraction(1, 10_000), "1ms"),
            ("0s", MINUTE_TO_SECOND, "0s"),
            ("1m", Fraction(2), "120s"),
        ],
    )
    def test_scaled_span_is_rounded_up_to_millisecond_and_never_zero(
        self, text: str, scale: Fraction, expected: str
    ) -> None:
        """A scaled span is rounded up to a millisecond and never zero."""
        assert expected == scaled_span(text, scale)

    @given(st.integers(1, 10**6), st.sampled_from("smhd"), st.integers(1, 1000))
    def test_scaling_keeps_order_of_spans(self, number: int, unit: str, faster: int) -> None:
        """Scaling keeps the order of spans."""
        spans = [scaled_span(f"{n}{unit}", Fraction(1, faster)) for n in (number, number + 1)]
        shorter, longer = (int(s[:-2]) if s.endswith("ms") else int(s[:-1]) * 1000 for s in spans)

        assert shorter <= longer


class TestExpression:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("rate(x[5m])", "rate(x[5s])"),
            ("sum_over_time(x[30d:5m])", "sum_over_time(x[43200s:5s])"),
            ("max_over_time(x[1h] offset 26m)", "max_over_time(x[60s] offset 26s)"),
            ("slo:error_ratio:1h > 0.1", "slo:error_ratio:1h > 0.1"),
            ("slo:bad:increase5m[1h]", "slo:bad:increase5m[60s]"),
            ('x{a=~"[5m] offset 1h"}', 'x{a=~"[5m] offset 1h"}'),
            (r'x{a="\"[5m]"}[5m]', r'x{a="\"[5m]"}[5s]'),
        ],
    )
    def test_only_ranges_steps_and_offsets_of_expression_are_scaled(
        self, expression: str, expected: str
    ) -> None:
        """Only ranges, steps and offsets of an expression are scaled."""
        assert expected == scaled_expression(expression, MINUTE_TO_SECOND)


class TestRules:
    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
    def test_files_in_real_time_are_committed_files(self, file: RuleFile) -> None:
        """Files in real time are the committed files."""
        assert prometheus(file) == prometheus(file, REAL_TIME)

    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
    def test_scaling_changes_only_spans_of_time_in_rules(self, file: RuleFile) -> None:
        """Scaling changes only spans of time in rules."""
        slow, fast = (read_yaml(prometheus(file, scale)) for scale in (REAL_TIME, MINUTE_TO_SECOND))

        assert _timeless(slow) == _timeless(fast)
        assert all(promql_parser.parse(expr) for expr in _expressions(fast))


class TestAlertmanager:
    def test_scaling_changes_only_intervals_of_alertmanager(self) -> None:
        """Scaling changes only intervals of Alertmanager."""
        receivers = Receivers(default=HOOKS, watchdog="http://127.0.0.1:9/watchdog")
        slow, fast = (
            read_yaml(alertmanager(BUILTIN, Options(receivers=receivers), scale))
            for scale in (REAL_TIME, MINUTE_TO_SECOND)
        )

        assert ("5m", "5s") == (slow["route"]["group_wait"], fast["route"]["group_wait"])
        assert _timeless(slow) == _timeless(fast)


def _expressions(rules: dict[str, list[dict[str, list[dict[str, str]]]]]) -> list[str]:
    return [rule["expr"] for group in rules["groups"] for rule in group["rules"]]


def _timeless(config: object) -> str:
    """Remove every span of time from a text."""
    return re.sub(r"(?<=[\[:' ])\d+(ms|[smhd])(?=[\]:') \\,])", "SPAN", repr(config))

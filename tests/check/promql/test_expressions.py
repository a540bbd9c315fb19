"""Expressions with the modifiers of ranges of newer Prometheus servers."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.check.finding import Diagnostic
from otel_meta.check.promql.expressions import NotPromQL, parse, without_range_modifiers
from tests.rules.pinned_tools import tool

Diagnose = Callable[..., list[Diagnostic]]

MODIFIED = (
    "increase(x[1h] anchored)",
    "increase(x[1h] offset 1h anchored)",
    "increase(x[1h] anchored offset 1h)",
    "rate(x{a='b'}[5m] smoothed) / 2",
    "x smoothed",
    'x{a="anchored"} SMOOTHED + 1',
    "x @ end() smoothed",
    "increase(x[1h] # anchored\n anchored)",
)
UNMODIFIED = (
    "anchored",
    "x + anchored",
    'anchored{smoothed="x"}',
    "sum by (anchored) (x) + on (a) anchored",
    'x{a="b anchored"}',
    "x{a=` smoothed`} and anchored",
    "# anchored\nx",
)


def accepted_by_prometheus(expr: str, folder: Path) -> bool:
    """Return True if promtool accepts an expression."""
    path = folder / "rules.json"
    path.write_text(
        json.dumps({"groups": [{"name": "g", "rules": [{"record": "a", "expr": expr}]}]})
    )
    feature = "--enable-feature=promql-extended-range-selectors"
    command = [str(tool("promtool")), "check", "rules", feature, str(path)]
    return 0 == subprocess.run(command, capture_output=True, check=False, timeout=60).returncode


@pytest.mark.parametrize("expr", [*MODIFIED, *UNMODIFIED])
def test_prometheus_accepts_the_expression(expr: str, tmp_path: Path) -> None:
    """Prometheus accepts the expression."""
    assert accepted_by_prometheus(expr, tmp_path)


@pytest.mark.parametrize("expr", MODIFIED)
def test_expression_with_modifiers_is_read(expr: str) -> None:
    """An expression with modifiers is read."""
    assert isinstance(parse(expr), promql_parser.Expr)


@pytest.mark.parametrize("expr", MODIFIED)
def test_modifier_is_replaced_by_spaces(expr: str) -> None:
    """A modifier is replaced by spaces, so that every other character keeps its position."""
    bare = without_range_modifiers(expr)

    assert len(expr) == len(bare)
    assert bare != expr
    assert {" "} == {now for was, now in zip(expr, bare, strict=True) if was != now}


@pytest.mark.parametrize("expr", UNMODIFIED)
def test_names_and_texts_are_no_modifiers(expr: str) -> None:
    """Names, texts and comments of the same spelling are left as they are."""
    assert expr == without_range_modifiers(expr)


def test_names_beside_a_modifier_are_checked(diagnose: Diagnose) -> None:
    """Names beside a modifier are checked."""
    right = "increase(atlas_requests_total[1h] anchored)"

    assert [] == diagnose(f"sum by (route) ({right})")
    assert ["metric"] == [d.kind for d in diagnose(right.replace("requests", "request"))]
    assert ["label"] == [d.kind for d in diagnose(f"sum by (rout) ({right})")]


@given(st.text("xanchoredsmt {}[]()\"'`#=+:5m\n", max_size=40))
def test_any_text_keeps_its_length(text: str) -> None:
    """Any text keeps its length, and is parsed or refused."""
    assert len(text) == len(without_range_modifiers(text))
    with contextlib.suppress(NotPromQL):
        parse(text)

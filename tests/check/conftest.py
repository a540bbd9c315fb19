"""What tests of the check need: a small catalogue, its series, and a rule at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal

import pytest
from hypothesis import settings

from otel_meta import Counter, Gauge, Histogram, MetaRepo, Slo, labels
from otel_meta.check.finding import Diagnostic, Finding
from otel_meta.check.known_series import KnownSeries
from otel_meta.check.promql.expressions import parse
from otel_meta.check.promql.infer import Inference
from otel_meta.check.promql.series_type import Vector
from otel_meta.check.rule_files import Rule, read_rules
from otel_meta.check.rule_lint import findings_of, known_series_of
from otel_meta.model import Catalog

# A busy machine is no failure; what a property claims does not depend on time.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

ROOT = Path(__file__).parent.parent.parent


@labels
class Request:
    route: str
    method: Literal["GET", "POST"]
    error: str = ""


@labels
class Tile:
    layer: Literal["roads", "rivers"]


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles and routing."""

    requests = Counter("atlas.requests", "Requests answered.", Request)
    latency = Histogram("atlas.latency", "Time.", Request, unit="s", buckets=(0.1, 1, 2.5, 10))
    tiles = Gauge("atlas.tiles", "Tiles in the cache.", Tile)

    availability = Slo(
        "atlas-availability",
        objective="99.9%",
        period="30d",
        sli=requests.ratio(bad=requests.where(error="yes")),
        why="Nobody finds the way.",
    )


Diagnose = Callable[..., list[Diagnostic]]
Infer = Callable[..., Vector]
CheckText = Callable[[str], list[Finding]]


def record(name: str, expr: str, given: Mapping[str, str] | None = None) -> Rule:
    """A recording rule."""
    return Rule("rules.yml", "group", name, "", expr, given or {}, {})


def alert(expr: str, texts: Mapping[str, str] | None = None) -> Rule:
    """An alerting rule."""
    return Rule("rules.yml", "group", "", "Alert", expr, {}, texts or {})


@pytest.fixture(scope="session")
def atlas() -> Catalog:
    """A catalogue of one meta-repository."""
    return Catalog((Atlas,))


@pytest.fixture(scope="session")
def diagnose(atlas: Catalog) -> Diagnose:
    """What is wrong with an expression, beside recordings by name, expression and labels."""
    bare = known_series_of(atlas, [])

    def check(
        expr: str, *recorded: Any, texts: Mapping[str, str] | None = None
    ) -> list[Diagnostic]:
        rules = [record(*each) for each in recorded]
        known = known_series_of(atlas, rules) if rules else bare
        return [finding.diagnostic for finding in findings_of([alert(expr, texts)], known)]

    return check


@pytest.fixture(scope="session")
def infer(atlas: Catalog) -> Infer:
    """The series that an expression gives, which has to be right."""
    bare = known_series_of(atlas, [])

    def run(expr: str, *recorded: Any) -> Vector:
        rules = [record(*each) for each in recorded]
        known: KnownSeries = known_series_of(atlas, rules) if rules else bare
        wrong: list[Diagnostic] = []
        vector = Inference(known, wrong.append).vector(parse(expr))
        assert not wrong
        return vector or ()

    return run


@pytest.fixture
def rule_file(tmp_path: Path) -> Callable[[str], Path]:
    """Write a rule file."""

    def write(text: str, name: str = "rules.yml") -> Path:
        path = tmp_path / name
        path.write_text(dedent(text))
        return path

    return write


@pytest.fixture(scope="session")
def committed() -> list[Rule]:
    """Every rule that is committed."""
    found = [each for path in sorted(ROOT.glob("rules/*.yml")) for each in read_rules(path)]
    return [each for each in found if isinstance(each, Rule)]

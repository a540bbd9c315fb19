"""Bucket bounds in generated rules, in the check and in the exposition are spelt alike."""

from __future__ import annotations

import json
import re

from hypothesis import example, given
from hypothesis import strategies as st

from otel_meta.check.rule_files import Rule
from otel_meta.check.rule_lint import findings_of, known_series_of
from otel_meta.model import Catalog, Duration, Histogram, MetaRepo, NoLabels, Slo
from otel_meta.render.options import Options
from otel_meta.render.rules.promql_builder import bucket
from otel_meta.render.rules.sli_promql import Scope, increments
from otel_meta.runtime.prometheus.text_format import format_float

bounds = st.floats(min_value=0, exclude_min=True, allow_infinity=False)


def catalog_of(bound: float) -> Catalog:
    """Declare a histogram with one bucket, and an SLO at the bucket's bound."""

    class Zoo(MetaRepo, name="zoo-animals", owner="keepers"):
        """Animals."""

        size = Histogram("zoo.size", "Size of an animal.", NoLabels, buckets=(bound,))
        small = Slo(
            "zoo-small", objective="99%", period="30d", sli=size.within(bound), why="Cages."
        )

    return Catalog((Zoo,))


@given(bounds)
@example(1_234_567.0)
@example(1e-5)
def test_check_accepts_generated_matcher(bound: float) -> None:
    """The check finds nothing wrong with the generated matcher of any bucket bound."""
    catalog = catalog_of(bound)
    (repo,) = catalog
    scope = Scope(repo.name, Duration("5m"), Options())
    rule = Rule("", "", "zoo", "", increments(repo.slos["small"].sli, scope).bad, {}, {})

    assert [] == list(findings_of([rule], known_series_of(catalog, [])))


@given(bounds)
@example(1_234_567.0)
@example(1e16)
def test_generated_matcher_selects_exposed_bucket(bound: float) -> None:
    """The generated matcher selects the bucket as the exposition spells the bucket's bound."""
    found = re.fullmatch(r'le(=~?)(".*")', bucket(bound))
    assert found is not None
    value = json.loads(found[2])
    pattern = value if found[1] == "=~" else re.escape(value)

    assert re.fullmatch(pattern, format_float(bound))

from __future__ import annotations

import pytest

from otel_meta.check.declared_series import declared_series
from otel_meta.check.promql.values import ANY, PRESENT, Values, one_of
from otel_meta.model import Catalog


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("atlas_requests_total", "counter"),
        ("atlas_latency_seconds_bucket", "counter"),
        ("atlas_latency_seconds_count", "counter"),
        ("atlas_latency_seconds_sum", "counter"),
        ("atlas_tiles", "gauge"),
        ("otel_meta_up", "gauge"),
        ("otel_meta_faults_total", "counter"),
        ("otel_meta_series", "gauge"),
        ("otel_meta_series_limit", "gauge"),
    ],
)
def test_names(name: str, kind: str, atlas: Catalog) -> None:
    """Samples are called as Prometheus calls them, and what only grows is a counter."""
    assert kind == declared_series(atlas)[name].metric_type


@pytest.mark.parametrize("name", ["atlas_requests", "atlas_latency_seconds", "atlas.tiles"])
def test_no_names(name: str, atlas: Catalog) -> None:
    """Families and OpenTelemetry's names are no series."""
    assert name not in declared_series(atlas)


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("method", one_of(["GET", "POST", "_OTHER"])),
        ("route", PRESENT),
        ("error", ANY),
        ("service_name", PRESENT),
        ("service_namespace", one_of(["atlas-maps"])),
        ("job", ANY),
        ("instance", ANY),
        ("le", one_of(["0.1", "1", "1.0", "2.5", "10", "10.0", "+Inf"])),
    ],
)
def test_labels(label: str, values: Values, atlas: Catalog) -> None:
    """Closed labels have their set, bounds both their spellings, others any value."""
    assert values == declared_series(atlas)["atlas_latency_seconds_bucket"].values(label)


def test_other_labels(atlas: Catalog) -> None:
    """Only buckets have bounds, and nothing has labels that nobody declared."""
    count = declared_series(atlas)["atlas_latency_seconds_count"]

    assert [False, False] == [count.may_have(label) for label in ("le", "layer")]

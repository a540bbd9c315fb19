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
def test_sample_names_have_metric_types_of_prometheus(name: str, kind: str, atlas: Catalog) -> None:
    """Sample names have the metric types of Prometheus."""
    assert kind == declared_series(atlas)[name].metric_type


@pytest.mark.parametrize("name", ["atlas_requests", "atlas_latency_seconds", "atlas.tiles"])
def test_names_of_families_and_of_opentelemetry_are_no_series(name: str, atlas: Catalog) -> None:
    """Names of families and of OpenTelemetry are no series."""
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
def test_labels_have_their_declared_values_and_bounds_every_spelling(
    label: str, values: Values, atlas: Catalog
) -> None:
    """Labels have their declared values, and bounds every spelling."""
    assert values == declared_series(atlas)["atlas_latency_seconds_bucket"].values(label)


def test_count_has_neither_bounds_nor_undeclared_labels(atlas: Catalog) -> None:
    """A count has neither bounds nor undeclared labels."""
    count = declared_series(atlas)["atlas_latency_seconds_count"]

    assert [False, False] == [count.may_have(label) for label in ("le", "layer")]


def test_series_of_every_instrumented_application_are_known(atlas: Catalog) -> None:
    """The series of every instrumented application are known, whatever a catalogue declares."""
    assert {
        "http_server_request_duration_seconds_bucket",
        "http_server_after_response_errors_total",
        "websocket_connections_active",
    } <= declared_series(atlas).keys()

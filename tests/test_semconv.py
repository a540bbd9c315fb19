from __future__ import annotations

from fractions import Fraction
from typing import get_args

import pytest
from opentelemetry.semconv.attributes import error_attributes, http_attributes, url_attributes
from opentelemetry.semconv.metrics import http_metrics

from otel_meta import Duration
from otel_meta.model import Instrument
from otel_meta.model.labels import Label
from otel_meta.model.measure import Quantile
from otel_meta.semconv import (
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_LATENCY_P99,
    HTTP_SERVER_REQUEST_DURATION,
    Method,
)

DURATION = HTTP_SERVER_REQUEST_DURATION
ACTIVE = HTTP_SERVER_ACTIVE_REQUESTS


@pytest.fixture
def status() -> Label:
    """The label with the status code of the response."""
    return next(f for f in DURATION.label_fields if f.name == "http_response_status_code")


class TestRequestDuration:
    def test_name_and_unit_are_those_of_the_convention(self) -> None:
        """The request duration has the convention's name and unit, and a name for Prometheus."""
        assert DURATION.name == http_metrics.HTTP_SERVER_REQUEST_DURATION
        assert "s" == DURATION.unit
        assert "http_server_request_duration_seconds" == DURATION.prometheus_name

    def test_buckets_are_those_of_the_convention(self) -> None:
        """The request duration has the bucket bounds that the convention recommends."""
        advised = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

        assert advised == DURATION.buckets

    def test_labels_have_the_keys_of_the_convention(self) -> None:
        """The labels of the request duration have the convention's keys."""
        assert [label.attribute.key for label in DURATION.label_fields] == [
            http_attributes.HTTP_REQUEST_METHOD,
            url_attributes.URL_SCHEME,
            http_attributes.HTTP_ROUTE,
            http_attributes.HTTP_RESPONSE_STATUS_CODE,
            error_attributes.ERROR_TYPE,
        ]

    def test_route_status_and_error_are_optional(self) -> None:
        """The labels for route, status code and error are empty by default."""
        assert [None, None, "", "", ""] == [label.default for label in DURATION.label_fields]

    def test_only_route_and_error_type_are_open(self) -> None:
        """Only the labels for the route and the error type are open."""
        assert [
            "http_route",
            "error_type",
        ] == [label.name for label in DURATION.label_fields if label.values is None]

    @pytest.mark.parametrize("code", ["100", "200", "404", "599"])
    def test_status_code_is_closed_and_exported_as_a_number(self, status: Label, code: str) -> None:
        """A status code is a value of the closed label, and exported as a number."""
        assert status.values is not None
        assert code in status.values
        assert int(code) == status.attribute.encode(code)

    def test_other_values_are_no_status_codes(self, status: Label) -> None:
        """Other values are not in the closed label, and are exported unchanged."""
        assert status.values is not None
        assert {"99", "600", "_OTHER"}.isdisjoint(status.values)
        assert "_OTHER" == status.attribute.encode("_OTHER")

    def test_p99_is_a_shared_recording(self) -> None:
        """The shared recording is the P99 of the request duration over 7 days."""
        measure = HTTP_SERVER_LATENCY_P99.measure

        assert isinstance(measure, Quantile)
        assert [DURATION] == [selector.instrument for selector in measure.selectors()]
        assert (Fraction(99, 100), Duration("7d")) == (measure.q, measure.over)


class TestActiveRequests:
    def test_name_unit_and_kind_are_those_of_the_convention(self) -> None:
        """Active requests have the convention's name, unit and kind."""
        assert ("http.server.active_requests", "{request}", "updowncounter") == (
            ACTIVE.name,
            ACTIVE.unit,
            ACTIVE.kind,
        )
        assert "http_server_active_requests" == ACTIVE.prometheus_name

    def test_labels_are_closed_and_have_the_keys_of_the_convention(self) -> None:
        """The labels of active requests are closed, and have the convention's keys."""
        assert [
            label.attribute.key for label in ACTIVE.label_fields if label.values is not None
        ] == [http_attributes.HTTP_REQUEST_METHOD, url_attributes.URL_SCHEME]


class TestMethods:
    def test_methods_are_those_of_the_convention(self) -> None:
        """Every method of the convention is a value, including the one for unknown methods."""
        known = {method.value for method in http_attributes.HttpRequestMethodValues}

        assert set() == known - set(get_args(Method))

    @pytest.mark.parametrize("instrument", [DURATION, ACTIVE])
    def test_metrics_have_exactly_these_methods(self, instrument: Instrument[...]) -> None:
        """The label for the method of both metrics has exactly these values."""
        values = {label.name: label.values for label in instrument.label_fields}

        assert get_args(Method) == values["http_request_method"]

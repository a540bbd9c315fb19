from __future__ import annotations

from fractions import Fraction
from typing import get_args

import pytest
from opentelemetry.semconv.attributes import error_attributes, http_attributes, url_attributes
from opentelemetry.semconv.metrics import http_metrics

from otel_meta import Duration
from otel_meta.model.labels import Label
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
    """The label that holds the status of the response."""
    return next(f for f in DURATION.label_fields if f.name == "http_response_status_code")


class TestRequestDuration:
    def test_names(self) -> None:
        """It is the convention's metric, and has the name that the convention's has."""
        assert DURATION.name == http_metrics.HTTP_SERVER_REQUEST_DURATION
        assert "s" == DURATION.unit
        assert "http_server_request_duration_seconds" == DURATION.prometheus_name

    def test_buckets(self) -> None:
        """Its bounds are those that the convention advises."""
        advised = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

        assert advised == DURATION.buckets

    def test_labels(self) -> None:
        """Its labels have the convention's keys."""
        assert [label.attribute.key for label in DURATION.label_fields] == [
            http_attributes.HTTP_REQUEST_METHOD,
            url_attributes.URL_SCHEME,
            http_attributes.HTTP_ROUTE,
            http_attributes.HTTP_RESPONSE_STATUS_CODE,
            error_attributes.ERROR_TYPE,
        ]

    def test_optional(self) -> None:
        """Without a route, a response or an error those labels are left out."""
        assert [None, None, "", "", ""] == [label.default for label in DURATION.label_fields]

    def test_open(self) -> None:
        """Only the route and the class of error are open."""
        assert [
            "http_route",
            "error_type",
        ] == [label.name for label in DURATION.label_fields if label.values is None]

    @pytest.mark.parametrize("code", ["100", "200", "404", "599"])
    def test_status(self, status: Label, code: str) -> None:
        """A status is closed, and exported as the number that the convention wants."""
        assert status.values is not None
        assert code in status.values
        assert int(code) == status.attribute.encode(code)

    def test_no_status(self, status: Label) -> None:
        """What is no status is not in the set, and is exported as it is."""
        assert status.values is not None
        assert {"99", "600", "_OTHER"}.isdisjoint(status.values)
        assert "_OTHER" == status.attribute.encode("_OTHER")

    def test_p99(self) -> None:
        """Its P99 over 7 days is one recording for all who want it."""
        measure = HTTP_SERVER_LATENCY_P99.measure

        assert [match.instrument for match in measure.selectors()] == [DURATION]
        assert (Fraction(99, 100), Duration("7d")) == (measure.q, measure.over)


class TestActiveRequests:
    def test_names(self) -> None:
        """It is the convention's metric, which counts requests."""
        assert ("http.server.active_requests", "{request}", "updowncounter") == (
            ACTIVE.name,
            ACTIVE.unit,
            ACTIVE.kind,
        )
        assert "http_server_active_requests" == ACTIVE.prometheus_name

    def test_labels(self) -> None:
        """Its labels have the convention's keys, and all are closed."""
        assert [
            label.attribute.key for label in ACTIVE.label_fields if label.values is not None
        ] == [http_attributes.HTTP_REQUEST_METHOD, url_attributes.URL_SCHEME]


class TestMethods:
    def test_known(self) -> None:
        """Every method that the convention knows is there, and one for those that it does not."""
        known = {method.value for method in http_attributes.HttpRequestMethodValues}

        assert set() == known - set(get_args(Method))

    @pytest.mark.parametrize("instrument", [DURATION, ACTIVE])
    def test_closed(self, instrument: type) -> None:
        """Both metrics are closed over them."""
        values = {label.name: label.values for label in instrument.label_fields}

        assert get_args(Method) == values["http_request_method"]

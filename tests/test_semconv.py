from __future__ import annotations

from typing import get_args

import pytest
from opentelemetry.semconv.attributes import error_attributes, http_attributes, url_attributes
from opentelemetry.semconv.metrics import http_metrics

from otel_meta import measures
from otel_meta.errors import DeclarationError
from otel_meta.model import Instrument
from otel_meta.model.labels import Label
from otel_meta.semconv import (
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_LATENCY_P99,
    HTTP_SERVER_REQUEST_DURATION,
    HTTP_SERVER_TIME_TO_FIRST_BYTE,
    WEBSOCKET_ACTIVE_CONNECTIONS,
    WEBSOCKET_CLOSED_CONNECTIONS,
    WEBSOCKET_CONNECTION_DURATION,
    WEBSOCKET_MESSAGE_DURATION,
    Method,
    responses_within,
)

DURATION = HTTP_SERVER_REQUEST_DURATION
FIRST_BYTE = HTTP_SERVER_TIME_TO_FIRST_BYTE
ACTIVE = HTTP_SERVER_ACTIVE_REQUESTS


@pytest.fixture
def status() -> Label:
    """Return the label of the status code."""
    return next(f for f in DURATION.label_fields if f.name == "http_response_status_code")


class TestRequestDuration:
    def test_request_duration_has_name_and_unit_of_convention(self) -> None:
        """The request duration has the name and the unit of the convention."""
        assert DURATION.name == http_metrics.HTTP_SERVER_REQUEST_DURATION
        assert "s" == DURATION.unit
        assert "http_server_request_duration_seconds" == DURATION.prometheus_name

    def test_buckets_are_those_that_convention_advises(self) -> None:
        """The buckets are those that the convention advises."""
        advised = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

        assert advised == DURATION.buckets

    def test_labels_of_request_duration_have_attribute_keys_of_convention(self) -> None:
        """The labels of the request duration have the attribute keys of the convention."""
        assert [label.attribute.key for label in DURATION.label_fields] == [
            http_attributes.HTTP_REQUEST_METHOD,
            url_attributes.URL_SCHEME,
            http_attributes.HTTP_ROUTE,
            http_attributes.HTTP_RESPONSE_STATUS_CODE,
            error_attributes.ERROR_TYPE,
            "stream",
        ]

    def test_labels_of_route_status_and_error_may_be_left_out(self) -> None:
        """Labels of the route, the status and the error may be left out."""
        assert [None, None, "", "", "", ""] == [label.default for label in DURATION.label_fields]

    def test_only_route_and_error_type_are_open_labels(self) -> None:
        """Only the route and the error type are open labels."""
        assert [
            "http_route",
            "error_type",
        ] == [label.name for label in DURATION.label_fields if label.values is None]

    @pytest.mark.parametrize("code", ["100", "200", "404", "599"])
    def test_status_code_is_closed_label_exported_as_number(self, status: Label, code: str) -> None:
        """A status code is a closed label, exported as a number."""
        assert status.values is not None
        assert code in status.values
        assert int(code) == status.attribute.encode(code)

    def test_value_that_is_no_status_code_is_exported_as_text(self, status: Label) -> None:
        """A value that is no status code is exported as text."""
        assert status.values is not None
        assert {"99", "600", "_OTHER"}.isdisjoint(status.values)
        assert "_OTHER" == status.attribute.encode("_OTHER")

    def test_p99_of_latency_is_recorded_over_7_days_without_streams(self) -> None:
        """The P99 of latency is recorded over 7 days, without streams."""
        plain = DURATION.where(stream="")

        assert measures.quantile(plain, "0.99", "7d") == HTTP_SERVER_LATENCY_P99.measure


class TestResponsesWithin:
    def test_stream_is_judged_by_first_byte_and_other_response_by_duration(self) -> None:
        """A stream is judged by its first byte, and another response by its duration."""
        plain, stream = responses_within(0.25, http_route="/orders").parts

        assert DURATION.where(stream="", http_route="/orders").within(0.25) == plain
        assert FIRST_BYTE.where(http_route="/orders").within(0.25) == stream

    def test_bound_that_no_bucket_ends_at_is_refused(self) -> None:
        """A bound that no bucket ends at is refused."""
        with pytest.raises(DeclarationError, match=r"has no bucket that ends at 0\.2"):
            responses_within(0.2)


class TestActiveRequests:
    def test_number_of_active_requests_has_name_and_unit_of_convention(self) -> None:
        """The number of active requests has the name and the unit of the convention."""
        assert ("http.server.active_requests", "{request}", "updowncounter") == (
            ACTIVE.name,
            ACTIVE.unit,
            ACTIVE.kind,
        )
        assert "http_server_active_requests" == ACTIVE.prometheus_name

    def test_labels_of_active_requests_are_those_of_convention(self) -> None:
        """The labels of active requests are closed, with attribute keys of the convention."""
        assert [
            label.attribute.key for label in ACTIVE.label_fields if label.values is not None
        ] == [http_attributes.HTTP_REQUEST_METHOD, url_attributes.URL_SCHEME]


class TestMethods:
    def test_methods_are_those_of_convention_and_other(self) -> None:
        """The methods are those of the convention, and _OTHER."""
        known = {method.value for method in http_attributes.HttpRequestMethodValues}

        assert set() == known - set(get_args(Method))

    @pytest.mark.parametrize("instrument", [DURATION, ACTIVE])
    def test_both_metrics_have_closed_label_of_methods(self, instrument: Instrument[...]) -> None:
        """Both metrics have the closed label of methods."""
        values = {label.name: label.values for label in instrument.label_fields}

        assert get_args(Method) == values["http_request_method"]


class TestWebSockets:
    def test_metrics_of_websockets_have_these_series(self) -> None:
        """The metrics of WebSockets have these series, each with the path of its endpoint."""
        metrics = (
            WEBSOCKET_ACTIVE_CONNECTIONS,
            WEBSOCKET_CLOSED_CONNECTIONS,
            WEBSOCKET_CONNECTION_DURATION,
            WEBSOCKET_MESSAGE_DURATION,
        )

        assert {
            "websocket_connections_active": ("path",),
            "websocket_connections_closed_total": ("path", "reason"),
            "websocket_connection_duration_seconds": ("path", "reason"),
            "websocket_message_duration_seconds": ("path", "direction"),
        } == {
            metric.prometheus_name: tuple(label.name for label in metric.label_fields)
            for metric in metrics
        }

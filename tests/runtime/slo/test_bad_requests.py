from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from otel_meta import MetaRepo, Slo
from otel_meta.runtime.slo.bad_requests import BadRequests
from otel_meta.semconv import (
    HTTP_SERVER_REQUEST_DURATION,
    HTTP_SERVER_TIME_TO_FIRST_BYTE,
    responses_within,
)

REQUEST = {"http.request.method": "GET", "http.route": "/map", "http.response.status_code": 200}
STREAM = {**REQUEST, "stream": "true"}
FIRST_BYTE = HTTP_SERVER_TIME_TO_FIRST_BYTE.name


class Maps(MetaRepo, name="maps", owner="roads"):
    """SLOs of each kind over the HTTP metrics."""

    duration = HTTP_SERVER_REQUEST_DURATION
    first_byte = HTTP_SERVER_TIME_TO_FIRST_BYTE
    latency = Slo(
        "maps-latency",
        objective="99%",
        period="7d",
        sli=responses_within(0.1, http_route="/map"),
        why="Drivers wait.",
    )
    too_many = Slo(
        "maps-refusals",
        objective="99%",
        period="7d",
        sli=HTTP_SERVER_REQUEST_DURATION.ratio(
            bad=HTTP_SERVER_REQUEST_DURATION.where(http_response_status_code="429")
        ),
        why="Drivers are refused.",
    )


@pytest.mark.parametrize(
    ("expected", "seconds", "attributes"),
    [
        pytest.param("", 0.1, REQUEST, id="at the bound"),
        pytest.param("slo", 0.11, REQUEST, id="above the bound"),
        pytest.param("", 9.0, {**REQUEST, "http.route": "/other"}, id="a route without an SLO"),
        pytest.param("slo", 0.01, {**REQUEST, "http.response.status_code": 429}, id="a bad label"),
        pytest.param("", 9.0, {**STREAM, FIRST_BYTE: 0.05}, id="a long stream with a quick start"),
        pytest.param("slo", 9.0, {**STREAM, FIRST_BYTE: 0.2}, id="a stream with a slow start"),
        pytest.param("", 9.0, {"db.system": "postgresql"}, id="no request"),
    ],
)
def test_request_is_bad_as_the_slo_counts_it(
    expected: str, seconds: float, attributes: dict[str, Any]
) -> None:
    """A request is kept if an SLO counts it as bad, by its labels and its value."""
    judge = BadRequests()
    judge.follow(Maps)

    assert expected == judge(ReadableSpan("GET", attributes=attributes), seconds)

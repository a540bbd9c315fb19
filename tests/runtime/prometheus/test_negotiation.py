from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.prometheus.formats import OPENMETRICS, TEXT
from otel_meta.runtime.prometheus.negotiation import format_for, gzip_accepted

# Prometheus 3 and 2, as they ask by default, and with native histograms.
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROTOBUF = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
    "encoding=delimited;q=0.7,"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


class TestFormat:
    @pytest.mark.parametrize(
        "accept",
        [
            PROMETHEUS_3,
            PROMETHEUS_2,
            PROTOBUF + PROMETHEUS_3,
            "application/openmetrics-text",
            "APPLICATION/OpenMetrics-Text; Version=1.0.0",
            'application/openmetrics-text; version="1.0.0"',
            "application/openmetrics-text, text/plain",
            "text/plain, application/openmetrics-text",
            "text/plain;q=0.5, application/openmetrics-text;q=0.6",
            "application/*",
            "*/*;q=0.1, application/openmetrics-text;q=0.1",
        ],
    )
    def test_openmetrics(self, accept: str) -> None:
        """OpenMetrics is the answer where it is asked for, and nothing is liked better."""
        assert OPENMETRICS is format_for(accept)

    @pytest.mark.parametrize(
        "accept",
        [
            "",
            "*/*",
            BROWSER,
            "text/plain",
            "text/plain;version=0.0.4",
            "text/plain;version=1.0.0;escaping=allow-utf-8",
            "application/openmetrics-text;q=0.5, text/plain;q=0.6",
            "application/openmetrics-text;q=0.5, text/*",
            "application/openmetrics-text;q=0, */*",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;version=2.0.0",
            "application/openmetrics-text;version=abc",
            "application/json",
            PROTOBUF,
        ],
    )
    def test_text(self, accept: str) -> None:
        """The plain text format is the answer where it is asked for, and to what cannot be met."""
        assert TEXT is format_for(accept)

    @given(st.text(st.characters(codec="latin-1")))
    def test_any(self, accept: str) -> None:
        """There is an answer to any header."""
        assert format_for(accept) in (TEXT, OPENMETRICS)

    @given(st.integers(0, 1000), st.integers(0, 1000), st.booleans())
    def test_weights(self, openmetrics: int, text: int, swapped: bool) -> None:
        """The format with the higher weight is the answer, in whatever order they come."""
        ranges = [
            f"application/openmetrics-text;version=1.0.0;q={openmetrics / 1000:.3f}",
            f"text/plain;version=0.0.4;q={text / 1000:.3f}",
        ]
        wanted = OPENMETRICS if openmetrics >= text and openmetrics else TEXT

        assert wanted is format_for(",".join(reversed(ranges) if swapped else ranges))


class TestCoding:
    @pytest.mark.parametrize(
        "header",
        ["gzip", "GZip", "deflate, gzip;q=0.5", "*", "gzip, identity", "x-gzip", "gzip;q=1.000"],
    )
    def test_accepted(self, header: str) -> None:
        """Whoever takes gzip gets it."""
        assert gzip_accepted(header)

    @pytest.mark.parametrize(
        "header",
        [
            "",
            "identity",
            "gzip;q=0",
            "*;q=0",
            "gzip;q=0, *",
            "gzip;q=0.1, identity",
            "br",
            "gzip;q=x",
        ],
    )
    def test_refused(self, header: str) -> None:
        """Nobody else does."""
        assert not gzip_accepted(header)

    @given(st.text(st.characters(codec="latin-1")))
    def test_any(self, header: str) -> None:
        """There is an answer to any header."""
        assert gzip_accepted(header) in (True, False)

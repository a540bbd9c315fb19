from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.prometheus.negotiation import negotiate_coding, negotiate_format
from otel_meta.runtime.prometheus.text_format import OPENMETRICS, OPENMETRICS2, TEXT

# Accept headers of Prometheus 3 and 2 by default, and of Prometheus 3 with native histograms.
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_3_OPENMETRICS2 = (
    "application/openmetrics-text;version=2.0.0;escaping=allow-utf-8;q=0.7,"
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5"
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


class TestNegotiateFormat:
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
    def test_openmetrics_is_chosen_if_named_and_not_outweighed(self, accept: str) -> None:
        """OpenMetrics is chosen if named and not outweighed."""
        assert OPENMETRICS is negotiate_format(accept)

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
            "application/openmetrics-text;version=2.0.0;q=0",
            "application/openmetrics-text;version=2.0.0;q=high",
            "application/openmetrics-text;version=2.0.0;q=-1",
            "application/openmetrics-text;version=2.0.1",
            "application/openmetrics-text;version=2",
            "application/openmetrics-text version=2.0.0",
            "application/openmetrics-text;version=abc",
            "application/json",
            PROTOBUF,
        ],
    )
    def test_plain_text_is_chosen_if_preferred_and_for_unsupported_formats(
        self, accept: str
    ) -> None:
        """Plain text is chosen if preferred, and for unsupported formats."""
        assert TEXT is negotiate_format(accept)

    @pytest.mark.parametrize(
        "accept",
        [
            PROMETHEUS_3_OPENMETRICS2,
            PROTOBUF + PROMETHEUS_3_OPENMETRICS2,
            "application/openmetrics-text;version=2.0.0",
            'APPLICATION/OpenMetrics-Text; Version="2.0.0"',
            "application/openmetrics-text, application/openmetrics-text;version=2.0.0, text/plain",
            "*/*;q=0.5, application/openmetrics-text;version=2.0.0",
            ";;,=,application/openmetrics-text;version=2.0.0;;=,;q",
        ],
    )
    def test_openmetrics_2_is_chosen_if_its_version_is_named(self, accept: str) -> None:
        """OpenMetrics 2.0 is chosen if its version is named and not outweighed."""
        assert OPENMETRICS2 is negotiate_format(accept)

    @pytest.mark.parametrize(
        "accept",
        [
            "application/openmetrics-text;version=2.0.0;q=0.5,application/openmetrics-text",
            PROMETHEUS_3_OPENMETRICS2.replace("0.7", "0.55"),
            "application/openmetrics-text;version=2.0.0;q=0,application/*",
        ],
    )
    def test_openmetrics_1_can_outweigh_2(self, accept: str) -> None:
        """A client that prefers OpenMetrics 1.0 to 2.0 gets 1.0."""
        assert OPENMETRICS is negotiate_format(accept)

    @given(st.text(st.characters(codec="latin-1")))
    def test_any_header_gets_answer(self, accept: str) -> None:
        """Any header gets an answer."""
        assert negotiate_format(accept) in (TEXT, OPENMETRICS, OPENMETRICS2)

    @given(st.integers(0, 1000), st.integers(0, 1000), st.booleans())
    def test_format_with_higher_weight_is_chosen_in_either_order(
        self, openmetrics: int, text: int, swapped: bool
    ) -> None:
        """The format with the higher weight is chosen in either order."""
        ranges = [
            f"application/openmetrics-text;version=1.0.0;q={openmetrics / 1000:.3f}",
            f"text/plain;version=0.0.4;q={text / 1000:.3f}",
        ]
        expected = OPENMETRICS if openmetrics >= text and openmetrics else TEXT

        assert expected is negotiate_format(",".join(reversed(ranges) if swapped else ranges))


class TestNegotiateCoding:
    @pytest.mark.parametrize(
        "header",
        ["gzip", "GZip", "deflate, gzip;q=0.5", "*", "gzip, identity", "x-gzip", "gzip;q=1.000"],
    )
    def test_gzip_is_accepted_if_preferred(self, header: str) -> None:
        """Gzip is accepted if preferred."""
        assert "gzip" == negotiate_coding(header)

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
    def test_gzip_is_refused_if_excluded_or_outweighed(self, header: str) -> None:
        """Gzip is refused if excluded or outweighed."""
        assert negotiate_coding(header) is None

    @pytest.mark.parametrize(
        ("header", "coding"),
        [
            ("zstd,gzip", "zstd"),
            ("gzip, ZSTD", "zstd"),
            ("zstd;q=0.5, gzip", "gzip"),
            ("zstd;q=0, *", "gzip"),
            ("zstd;q=0.5, identity", None),
            ("zstd;q=1.5, gzip;q=0.1", "gzip"),
        ],
    )
    def test_zstd_is_chosen_if_named_and_not_outweighed(
        self, header: str, coding: str | None
    ) -> None:
        """Zstd is chosen if named and not outweighed."""
        assert coding == negotiate_coding(header)

    def test_zstd_is_refused_without_library(self) -> None:
        """A process without a library for zstd answers with gzip."""
        assert "gzip" == negotiate_coding("zstd,gzip", ["gzip"])
        assert negotiate_coding("zstd", ["gzip"]) is None

    @given(st.text(st.characters(codec="latin-1")))
    def test_any_header_gets_answer(self, header: str) -> None:
        """Any header gets an answer."""
        assert negotiate_coding(header) in ("zstd", "gzip", None)

from __future__ import annotations

import gzip
import sys
import time

import pytest
from hypothesis import given, settings

from otel_meta.runtime.prometheus.handler import ScrapeRequest
from tests.runtime.prometheus.metric_strategies import METRICS, Metrics, recorded
from tests.runtime.prometheus.openmetrics2_parser import parse_openmetrics2
from tests.runtime.prometheus.page_parser import (
    OPENMETRICS,
    OPENMETRICS2,
    TEXT,
    parse_page,
    parse_samples,
)

if sys.version_info >= (3, 14):
    from compression.zstd import decompress as decompress_zstd
else:
    from zstandard import ZstdDecompressor

    def decompress_zstd(data: bytes) -> bytes:
        """Return the data of a frame whose length is not in its head."""
        return ZstdDecompressor().decompressobj().decompress(data)


PROCESS_METRICS = ("process_", "python_", "otel_meta_faults")
"""Prefixes of series that change between two scrapes."""


class TestPage:
    @pytest.mark.parametrize("accept", [TEXT, OPENMETRICS, OPENMETRICS2])
    @settings(max_examples=100)
    @given(metrics=METRICS)
    def test_parser_accepts_any_page(self, accept: str, metrics: Metrics) -> None:
        """The parser of each format accepts a page of any metrics."""
        with recorded(metrics) as captured:
            page = captured.prometheus_text(accept)
            names = [family.name for family in parse_page(page, accept)]

            assert len(set(names)) == len(names)
            assert parse_samples(page, accept)
            assert page.endswith("# EOF\n") == (accept is not TEXT)

    @settings(max_examples=100)
    @given(metrics=METRICS)
    def test_all_formats_show_same_series(self, metrics: Metrics) -> None:
        """All formats show the same series; OpenMetrics 1.0 lacks sums that can decrease."""
        with recorded(metrics) as captured:
            text, openmetrics, openmetrics2 = (
                {
                    key: repr(float(value))
                    for key, value in parse_samples(
                        captured.prometheus_text(accept), accept
                    ).items()
                    if not key[0].startswith(PROCESS_METRICS)
                }
                for accept in (TEXT, OPENMETRICS, OPENMETRICS2)
            )

            assert text == openmetrics2
            assert openmetrics.items() <= text.items()
            assert [] == [
                name
                for name, _ in text.keys() - openmetrics.keys()
                if not name.endswith(("_sum", "_count"))
            ]

    @settings(max_examples=30)
    @given(metrics=METRICS)
    def test_openmetrics_2_has_start_of_each_counter_and_histogram(self, metrics: Metrics) -> None:
        """OpenMetrics 2.0 has the start of each declared or SDK counter and histogram."""
        before = time.time()
        with recorded(metrics) as captured:
            page = captured.prometheus_text(OPENMETRICS2)
            starts = [
                sample.start
                for family in parse_openmetrics2(page)
                for sample in family.samples
                if family.type in ("counter", "histogram")
                and not family.name.startswith(PROCESS_METRICS)
            ]

            assert all(
                start is not None and before - 0.001 <= start <= time.time() for start in starts
            )

    @settings(max_examples=30)
    @given(metrics=METRICS)
    def test_parser_accepts_starts_on_request(self, metrics: Metrics) -> None:
        """The parser of OpenMetrics 1.0 accepts a page with starts, whatever the metrics' names."""
        with recorded(metrics, prometheus_created=True) as captured:
            growing = [
                {sample.name for sample in family.samples}
                for family in parse_page(captured.prometheus_text(OPENMETRICS), OPENMETRICS)
                if family.type in ("counter", "histogram")
                and not family.name.startswith(("process_", "python_"))
            ]

            assert all(any(name.endswith("_created") for name in names) for names in growing)

    @settings(max_examples=30)
    @given(metrics=METRICS)
    def test_compressed_page_is_same_page(self, metrics: Metrics) -> None:
        """A compressed page is equal to the plain page."""
        with recorded(metrics) as captured:
            scrape = captured.telemetry.scrape
            assert scrape is not None
            plain, by_gzip, by_zstd = (
                scrape.handle(ScrapeRequest("name[]=app", accept_encoding=coding)).body
                for coding in ("", "gzip", "zstd")
            )

            assert plain == gzip.decompress(by_gzip)
            assert plain == decompress_zstd(by_zstd)

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings

from otel_meta.runtime.prometheus.handler import ScrapeRequest
from tests.runtime.prometheus.metric_strategies import METRICS, Metrics, recorded
from tests.runtime.prometheus.page_parser import OPENMETRICS, TEXT, parse_page, parse_samples

PROCESS_METRICS = ("process_", "python_", "otel_meta_faults")
"""Prefixes of series that change between two scrapes."""


class TestPage:
    @pytest.mark.parametrize("accept", [TEXT, OPENMETRICS])
    @settings(max_examples=150)
    @given(metrics=METRICS)
    def test_parser_accepts_any_page(self, accept: str, metrics: Metrics) -> None:
        """The parser of each format accepts a page of any metrics."""
        with recorded(metrics) as captured:
            page = captured.prometheus_text(accept)
            names = [family.name for family in parse_page(page, accept)]

            assert len(set(names)) == len(names)
            assert parse_samples(page, accept)
            assert page.endswith("# EOF\n") == (accept is OPENMETRICS)

    @settings(max_examples=100)
    @given(metrics=METRICS)
    def test_both_formats_show_same_series(self, metrics: Metrics) -> None:
        """Both formats show the same series and values, except sums that can decrease."""
        with recorded(metrics) as captured:
            text, openmetrics = (
                {
                    key: repr(value)
                    for key, value in parse_samples(
                        captured.prometheus_text(accept), accept
                    ).items()
                    if not key[0].startswith(PROCESS_METRICS)
                }
                for accept in (TEXT, OPENMETRICS)
            )

            assert openmetrics.items() <= text.items()
            assert [] == [
                name
                for name, _ in text.keys() - openmetrics.keys()
                if not name.endswith(("_sum", "_count"))
            ]

    @settings(max_examples=30)
    @given(metrics=METRICS)
    def test_compressed_page_is_same_page(self, metrics: Metrics) -> None:
        """A compressed page is equal to the plain page."""
        with recorded(metrics) as captured:
            scrape = captured.telemetry.scrape
            assert scrape is not None
            plain, compressed = (
                scrape.handle(ScrapeRequest("name[]=app", accept_encoding=coding))
                for coding in ("", "gzip")
            )

            assert plain.body == gzip.decompress(compressed.body)

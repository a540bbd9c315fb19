from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings

from otel_meta.runtime.prometheus.handler import ScrapeRequest
from tests.runtime.prometheus.anything import (
    ANYTHING,
    OPENMETRICS,
    TEXT,
    Anything,
    families,
    recorded,
    samples,
)


class TestAnything:
    @pytest.mark.parametrize("accept", [TEXT, OPENMETRICS])
    @settings(max_examples=150)
    @given(anything=ANYTHING)
    def test_parsed(self, accept: str, anything: Anything) -> None:
        """Whatever is declared, recorded and measured, each format's own parser takes the page."""
        with recorded(anything) as captured:
            page = captured.prometheus_text(accept)
            names = [family.name for family in families(page, accept)]

            assert len(set(names)) == len(names)
            assert samples(page, accept)
            assert page.endswith("# EOF\n") == (accept is OPENMETRICS)

    @settings(max_examples=100)
    @given(anything=ANYTHING)
    def test_same(self, anything: Anything) -> None:
        """Both formats show the same series and values, but for sums that can go down."""
        with recorded(anything) as captured:
            text, openmetrics = (
                {
                    key: repr(value)
                    for key, value in samples(captured.prometheus_text(accept), accept).items()
                    if not key[0].startswith(("process_", "python_", "otel_meta_faults"))
                }
                for accept in (TEXT, OPENMETRICS)
            )

            assert openmetrics.items() <= text.items()
            assert [] == [
                name for name, _ in text.keys() - openmetrics.keys() if name[-4:] not in _TOTALS
            ]

    @settings(max_examples=30)
    @given(anything=ANYTHING)
    def test_zipped(self, anything: Anything) -> None:
        """Zipped, it is the same page."""
        with recorded(anything) as captured:
            scrape = captured.telemetry.scrape
            assert scrape is not None
            plain, zipped = (
                scrape.answer(ScrapeRequest("name[]=app", accept_encoding=e)) for e in _CODINGS
            )

            assert plain.body == gzip.decompress(zipped.body)


_TOTALS = ("_sum", "ount")
_CODINGS = ("", "gzip")

"""Pages read by parsers that share no code with the renderer; most are prometheus_client's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from tests.runtime.prometheus.openmetrics2_parser import parse_openmetrics2

TEXT = "text/plain"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
OPENMETRICS2 = "application/openmetrics-text; version=2.0.0"

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""Values by name and sorted labels."""


def parse_page(page: str, content_type: str = TEXT) -> list[Any]:
    """Parse the families of a page with the parser of its format.

    Raises:
        ValueError: the parser refuses the page.
    """
    families: Iterable[Any]
    if content_type == OPENMETRICS2:
        families = parse_openmetrics2(page)
    elif "openmetrics" in content_type:
        families = parse_openmetrics(page)  # type: ignore[no-untyped-call]
    else:
        families = parse_text(page)
    return list(families)


def parse_samples(page: str, content_type: str = TEXT) -> Samples:
    """Parse the samples of a page, and fail on a duplicate series."""
    samples: Samples = {}
    for family in parse_page(page, content_type):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in samples
            samples[key] = sample.value
    return samples

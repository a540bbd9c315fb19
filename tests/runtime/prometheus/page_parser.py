"""Pages read by prometheus_client's parsers, which share no code with the renderer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

TEXT = "text/plain"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""Values by name and sorted labels."""


def parse_page(page: str, content_type: str = TEXT) -> list[Any]:
    """Parse the families of a page with the parser of its format.

    Raises:
        ValueError: the parser refuses the page.
    """
    if "openmetrics" in content_type:
        families: Iterable[Any] = parse_openmetrics(page)  # type: ignore[no-untyped-call]
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

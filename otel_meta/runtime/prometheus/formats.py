"""The two text formats that Prometheus reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Format:
    """A text format, and how HTTP names it."""

    media_type: str
    version: str
    openmetrics: bool

    @property
    def content_type(self) -> str:
        """The header that goes with it."""
        return f"{self.media_type}; version={self.version}; charset=utf-8"


TEXT: Final = Format("text/plain", "0.0.4", openmetrics=False)
"""https://prometheus.io/docs/instrumenting/exposition_formats/"""

OPENMETRICS: Final = Format("application/openmetrics-text", "1.0.0", openmetrics=True)
"""https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md"""

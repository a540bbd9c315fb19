"""Keys that the engine adds to the scope."""

from __future__ import annotations

from typing import Final

EXCHANGE: Final = "otel_meta.exchange"
"""The exchange of a request, so that an application within another does not record it again."""

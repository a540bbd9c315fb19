"""The instrumentation scope of measurements that go through OpenTelemetry's API."""

from __future__ import annotations

from typing import Final

SCOPE_NAME: Final = "otel_meta.api"
"""Not the scope of the package's own export: if `configure` runs after the first measurements, two
streams with one identity would overwrite each other at a backend."""

"""Facts about the globals of OpenTelemetry's API."""

from __future__ import annotations

from typing import Final

SCOPE_NAME: Final = "otel_meta.api"
"""The instrumentation scope of measurements that go through the API.

Not the scope of the package's own export: if `configure` runs after the first measurements, two
streams with one identity would overwrite each other at a backend.
"""

_UNSET: Final = ("ProxyTracerProvider", "_ProxyMeterProvider")
"""Classes of the providers that the API returns until a provider is set."""


def is_unset(provider: object) -> bool:
    """Return True for what the API returns in place of a global provider that is not set."""
    kind = type(provider)
    return kind.__name__ in _UNSET and kind.__module__.startswith("opentelemetry.")

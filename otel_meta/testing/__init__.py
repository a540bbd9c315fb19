"""The test kit: telemetry captured in memory, a clock set by hand, and an OTLP receiver.

Names are imported on first use: pytest loads the plugin of this package in every run, also where
the packages behind the extras are not installed.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .clock import FakeClock
    from .otlp_receiver import OtlpReceiver
    from .telemetry_capture import CapturedTelemetry, capture

__all__ = ["CapturedTelemetry", "FakeClock", "OtlpReceiver", "capture"]

_MODULES: Final = {
    "CapturedTelemetry": "telemetry_capture",
    "FakeClock": "clock",
    "OtlpReceiver": "otlp_receiver",
    "capture": "telemetry_capture",
}


if not TYPE_CHECKING:  # with a module __getattr__, a type checker accepts every name

    def __getattr__(name: str) -> object:
        """Import a public name (PEP 562)."""
        if name not in _MODULES:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message, name=name, obj=sys.modules[__name__])
        value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__})

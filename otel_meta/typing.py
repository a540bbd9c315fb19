"""Types for annotations: live instruments, the status of an SLO, parts of declarations.

Examples:
    >>> from otel_meta.typing import LiveCounter
    >>> def count_retry(retries: LiveCounter[[]]) -> None:
    ...     retries.add(1)
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from otel_meta.model.instrument import Instrument
from otel_meta.model.kinds import MultiprocessMode
from otel_meta.model.live import (
    LiveCounter,
    LiveGauge,
    LiveHistogram,
    LiveTimer,
    LiveTiming,
    LiveUpDownCounter,
)
from otel_meta.model.measure import Measure
from otel_meta.model.selector import Selectable, Selector
from otel_meta.model.slo.burn import Severity
from otel_meta.model.slo.sli import Ratio, Sli, Threshold, TimeSlice

if TYPE_CHECKING:
    from otel_meta.runtime.slo.status import Status
    from otel_meta.runtime.slo.tracker import SloTracker

__all__ = [
    "Instrument",
    "LiveCounter",
    "LiveGauge",
    "LiveHistogram",
    "LiveTimer",
    "LiveTiming",
    "LiveUpDownCounter",
    "Measure",
    "MultiprocessMode",
    "Ratio",
    "Selectable",
    "Selector",
    "Severity",
    "Sli",
    "SloTracker",
    "Status",
    "Threshold",
    "TimeSlice",
]

_HOMES: Final = {
    "SloTracker": "otel_meta.runtime.slo.tracker",
    "Status": "otel_meta.runtime.slo.status",
}
"""Modules that load OpenTelemetry, and are therefore imported at the first use of the name."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message, name=name, obj=sys.modules[__name__])
        return getattr(import_module(_HOMES[name]), name)

    def __dir__() -> list[str]:
        return sorted({*(name for name in globals() if name.startswith("__")), *__all__})

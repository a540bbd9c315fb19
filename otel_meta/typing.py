"""Types for annotations: live instruments, the status of an SLO, parts of declarations.

Examples:
    >>> from otel_meta.typing import LiveCounter
    >>> def count_retry(retries: LiveCounter[[]]) -> None:
    ...     retries.add(1)
"""

from typing import TYPE_CHECKING, Final

from otel_meta._lazy import lazy_names
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
from otel_meta.model.slo.combined import Combined
from otel_meta.model.slo.sli import Ratio, Sli, Threshold, TimeSlice

if TYPE_CHECKING:
    from otel_meta.runtime.slo.tracker import SloTracker
    from otel_meta.status.status import Status

__all__ = [
    "Combined",
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
    "Status": "otel_meta.status.status",
}
"""Modules that load OpenTelemetry, and are therefore imported at the first use of the name."""

if not TYPE_CHECKING:  # with a module __getattr__, a type checker accepts every name
    __getattr__, __dir__ = lazy_names(__name__, _HOMES, __all__)

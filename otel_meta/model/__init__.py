"""What is said: frozen values that need the standard library alone."""

from .burn import BURN_WINDOWS, BurnWindow, Severity
from .catalog import Catalog, Problem
from .duration import Duration
from .instrument import Instrument
from .kinds import Counter, Gauge, Histogram, UpDownCounter
from .labels import Attribute, NoLabels, labels
from .measures import increase, latest, over_time, quantile, rate, relative_change, share
from .objective import Budget, Objective
from .repo import MetaRepo
from .rules import Alert, Recording
from .selector import PRESENT, Selector
from .semconv import (
    HTTP_SERVER_ACTIVE_REQUESTS,
    HTTP_SERVER_LATENCY_P99,
    HTTP_SERVER_REQUEST_DURATION,
)
from .sli import Ratio, Sli, Threshold, TimeSlice
from .slo import Slo

__all__ = [
    "BURN_WINDOWS",
    "HTTP_SERVER_ACTIVE_REQUESTS",
    "HTTP_SERVER_LATENCY_P99",
    "HTTP_SERVER_REQUEST_DURATION",
    "PRESENT",
    "Alert",
    "Attribute",
    "Budget",
    "BurnWindow",
    "Catalog",
    "Counter",
    "Duration",
    "Gauge",
    "Histogram",
    "Instrument",
    "MetaRepo",
    "NoLabels",
    "Objective",
    "Problem",
    "Ratio",
    "Recording",
    "Selector",
    "Severity",
    "Sli",
    "Slo",
    "Threshold",
    "TimeSlice",
    "UpDownCounter",
    "increase",
    "labels",
    "latest",
    "over_time",
    "quantile",
    "rate",
    "relative_change",
    "share",
]

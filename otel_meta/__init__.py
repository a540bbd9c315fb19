"""Declare a metric and its SLO once. Record it typed and fast. Alert on it, see it, prove it."""

from otel_meta.errors import (
    ConfigurationError,
    DeclarationError,
    InstrumentationError,
    MissingExtra,
    NotBoundError,
    OtelMetaError,
    PortInUse,
    UsageError,
)
from otel_meta.model.alert import Alert, Recording
from otel_meta.model.burn import BURN_WINDOWS, BurnWindow
from otel_meta.model.catalog import Catalog, Problem
from otel_meta.model.duration import Duration
from otel_meta.model.instrument import Counter, Gauge, Histogram, Instrument, UpDownCounter
from otel_meta.model.labels import Attribute, NoLabels, labels
from otel_meta.model.match import PRESENT, Match
from otel_meta.model.measure import growth, increase, latest, over_time, quantile, rate, share
from otel_meta.model.objective import Budget, Objective
from otel_meta.model.repo import MetaRepo
from otel_meta.model.semconv import HTTP_SERVER_ACTIVE_REQUESTS, HTTP_SERVER_REQUEST_DURATION
from otel_meta.model.sli import Ratio, Threshold, TimeSlice
from otel_meta.model.slo import Slo

__all__ = [
    "BURN_WINDOWS",
    "HTTP_SERVER_ACTIVE_REQUESTS",
    "HTTP_SERVER_REQUEST_DURATION",
    "PRESENT",
    "Alert",
    "Attribute",
    "Budget",
    "BurnWindow",
    "Catalog",
    "ConfigurationError",
    "Counter",
    "DeclarationError",
    "Duration",
    "Gauge",
    "Histogram",
    "Instrument",
    "InstrumentationError",
    "Match",
    "MetaRepo",
    "MissingExtra",
    "NoLabels",
    "NotBoundError",
    "Objective",
    "OtelMetaError",
    "PortInUse",
    "Problem",
    "Ratio",
    "Recording",
    "Slo",
    "Threshold",
    "TimeSlice",
    "UpDownCounter",
    "UsageError",
    "growth",
    "increase",
    "labels",
    "latest",
    "over_time",
    "quantile",
    "rate",
    "share",
]

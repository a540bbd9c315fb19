"""Declarations: frozen values, built on the standard library alone."""

from .catalog import Catalog, Problem
from .duration import Duration
from .instrument import Instrument
from .kinds import Counter, Gauge, Histogram, UpDownCounter
from .labels import Attribute, NoLabels, labels
from .repo import MetaRepo
from .rules import Alert, Recording
from .selector import PRESENT, Selector
from .slo.burn import BURN_WINDOWS, BurnWindow, Severity
from .slo.combined import Combined
from .slo.objective import Budget, Objective
from .slo.sli import Ratio, Sli, Threshold, TimeSlice
from .slo.slo import Slo

__all__ = [
    "BURN_WINDOWS",
    "PRESENT",
    "Alert",
    "Attribute",
    "Budget",
    "BurnWindow",
    "Catalog",
    "Combined",
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
    "labels",
]

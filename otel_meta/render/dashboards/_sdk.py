"""Grafana's Foundation SDK; the one place that imports it.

Its classic dashboards warn that schema version 2 is to be preferred. That one needs Grafana 12 or
later and a resource API, while files of the classic schema are provisioned by every Grafana from
10 on, so the warning (given at import) is silenced here and nowhere else.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
    from grafana_foundation_sdk.builders import (
        common,
        dashboard,
        heatmap,
        prometheus,
        stat,
        statetimeline,
        table,
        timeseries,
    )
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models import common as common_models
    from grafana_foundation_sdk.models import dashboard as models
    from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
    from grafana_foundation_sdk.models.prometheus import PromQueryFormat

__all__ = [
    "Builder",
    "HeatmapColorMode",
    "JSONEncoder",
    "PromQueryFormat",
    "common",
    "common_models",
    "dashboard",
    "heatmap",
    "models",
    "prometheus",
    "stat",
    "statetimeline",
    "table",
    "timeseries",
]

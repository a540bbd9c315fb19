"""The only import of Grafana's Foundation SDK.

On import, the SDK's classic dashboards warn that schema version 2 is preferred. Version 2 needs
Grafana 12 and a resource API, but every Grafana since version 10 provisions files of the classic
schema. The warning is therefore silenced, here and nowhere else.
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

"""A meter provider of the SDK that keeps its measurements."""

from __future__ import annotations

import json
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

Point = dict[str, Any]


class Sdk:
    """A meter provider of the SDK that keeps its measurements."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader], shutdown_on_exit=False)

    def metrics(self) -> dict[str, Any]:
        """Return the metrics by name, as JSON."""
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        (resource,) = json.loads(data.to_json())["resource_metrics"]
        return {
            metric["name"]: metric
            for scope in resource["scope_metrics"]
            for metric in scope["metrics"]
        }

    def points(self, name: str) -> list[Point]:
        """Return the points of a metric."""
        metric = self.metrics().get(name)
        return [] if metric is None else metric["data"]["data_points"]

    def values(self, name: str) -> dict[str, float]:
        """Return the values of a metric by the values of its attributes."""
        return {
            ",".join(map(str, point["attributes"].values())): point["value"]
            for point in self.points(name)
        }

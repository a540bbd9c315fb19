"""Dashboards against Grafana's model, as the SDK has it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_meta.render.dashboards._sdk import JSONEncoder, models
from tests.render.dashboards.support import pages, panels

TYPES = {"timeseries", "stat", "table", "heatmap", "state-timeline"}


@pytest.mark.parametrize("name", pages())
class TestModel:
    def test_round_trip(self, name: str) -> None:
        """What Grafana's model reads and writes again is what was written."""
        from grafana_foundation_sdk.cog import plugins  # noqa: PLC0415

        plugins.register_default_plugins()
        page = pages()[name]
        again = json.loads(json.dumps(models.Dashboard.from_json(page), cls=JSONEncoder))

        assert page == again

    def test_fields(self, name: str) -> None:
        """What Grafana needs of each panel is there, with the type that it wants."""
        for panel in panels(pages()[name]):
            assert panel["type"] in TYPES
            assert {"h", "w", "x", "y"} == panel["gridPos"].keys()
            assert all(isinstance(number, int) for number in panel["gridPos"].values())
            assert all(_fit(step) for step in _steps(panel))

    def test_first_step(self, name: str) -> None:
        """Colours begin at minus infinity, which is null, and go up."""
        for panel in panels(pages()[name]):
            values = [step["value"] for step in _steps(panel)]

            assert values[:1] in ([], [None])
            assert sorted(values[1:]) == values[1:]


def _steps(panel: Any) -> list[Any]:
    found: list[Any] = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
    return found


def _fit(step: Any) -> bool:
    return isinstance(step["value"], int | float | None) and isinstance(step["color"], str)

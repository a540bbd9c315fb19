"""Validates dashboards against the SDK's model of Grafana's schema."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_meta.render.dashboards.grafana._sdk import JSONEncoder, models
from tests.render.dashboards.rendered_dashboards import pages, panels

TYPES = {"timeseries", "stat", "table", "heatmap", "state-timeline"}


@pytest.mark.parametrize("name", pages())
class TestModel:
    def test_round_trip_through_model_gives_same_json(self, name: str) -> None:
        """Parsing a dashboard into the model and encoding it again gives the same JSON."""
        from grafana_foundation_sdk.cog import plugins  # noqa: PLC0415

        plugins.register_default_plugins()
        page = pages()[name]
        again = json.loads(json.dumps(models.Dashboard.from_json(page), cls=JSONEncoder))

        assert page == again

    def test_every_panel_has_known_type_and_grid_position(self, name: str) -> None:
        """Every panel has a known type, a grid position and well-typed thresholds."""
        for panel in panels(pages()[name]):
            assert panel["type"] in TYPES
            assert {"h", "w", "x", "y"} == panel["gridPos"].keys()
            assert all(isinstance(number, int) for number in panel["gridPos"].values())
            assert all(_is_well_typed(step) for step in _steps(panel))

    def test_threshold_steps_begin_at_null_and_rise(self, name: str) -> None:
        """Threshold steps begin at null, which is minus infinity, and rise."""
        for panel in panels(pages()[name]):
            values = [step["value"] for step in _steps(panel)]

            assert values[:1] in ([], [None])
            assert sorted(values[1:]) == values[1:]


def _steps(panel: Any) -> list[Any]:
    steps: list[Any] = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
    return steps


def _is_well_typed(step: Any) -> bool:
    return isinstance(step["value"], int | float | None) and isinstance(step["color"], str)

"""Checks dashboards with Grafana's own packages: texts of values, tables and types of panels."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.render.dashboards.rendered_dashboards import ROOT, pages, panels

sys.path.append(str(ROOT / "tools" / "dashboard_images"))

from packages import check_types, run_jobs  # a tool, outside the packages

NOW = 1_768_478_400
SLO_TABLE = "All SLOs, worst first"


def panel_of(file: str, title: str) -> Any:
    """Return the panel with a title."""
    return next(panel for panel in panels(pages()[file]) if panel["title"] == title)


def answer(value: float | str, **labels: str) -> Mapping[str, Any]:
    """Return a series of Prometheus' answer to an instant query."""
    return {"metric": labels, "value": [NOW, str(value)]}


def texts(config: Mapping[str, Any], *values: float | None) -> list[str]:
    """Return the texts of values in Grafana."""
    (shown,) = run_jobs([{"kind": "format", "config": config, "values": values}])
    return [value["text"] for value in shown]


class TestPercentages:
    DECIMALS = panel_of("slo-tracking.json", "Good events and objective")["fieldConfig"]["defaults"]

    def test_missed_objective_reads_below_objective(self) -> None:
        """A share just below an objective of 99.9 % reads below 99.9 %, and a full one does not."""
        read = texts(self.DECIMALS, 0.99953, 0.999, 0.99899, 0.9985)

        assert ["99.953%", "99.900%", "99.899%", "99.850%"] == read

    def test_without_decimals_missed_objective_reads_as_objective(self) -> None:
        """Without decimals, Grafana shows a missed objective as the objective."""
        assert ["99.9%"] == texts({"unit": "percentunit"}, 0.99851)

    def test_every_percentage_has_decimals(self) -> None:
        """Every share with a bound, an objective or a budget has its own number of decimals."""
        without = {
            (file, panel["title"])
            for file, page in pages().items()
            for panel in panels(page)
            for config in _configs(panel)
            if config.get("unit") == "percentunit" and "decimals" not in config
        }

        assert without <= _instruments()


def _configs(panel: Any) -> Iterator[Mapping[str, Any]]:
    yield panel["fieldConfig"]["defaults"]
    for override in panel["fieldConfig"].get("overrides", []):
        yield {item["id"]: item["value"] for item in override["properties"]}


def _instruments() -> set[tuple[str, str]]:
    """Return the panels of instruments, whose values have no bound, and of whole services."""
    return {
        (file, panel["title"])
        for file, page in pages().items()
        for panel in panels(page)
        if "Metric `" in panel["description"] or panel["title"] == "Share of SLOs met"
    }


class TestNoData:
    STATS: Mapping[str, Any] = {
        panel["title"]: panel
        for page in pages().values()
        for panel in panels(page)
        if panel["type"] == "stat"
    }

    @pytest.mark.parametrize("title", STATS)
    def test_stat_without_data_says_so_in_grey(self, title: str) -> None:
        """A stat without data says so, in a colour of no threshold."""
        panel = self.STATS[title]
        results: dict[str, list[Any]] = {target["refId"]: [] for target in panel["targets"]}
        ((shown, *_),) = run_jobs([{"kind": "stat", "panel": panel, "results": results}])

        assert ("no data", "#8e8e8e") == (shown["text"], shown["color"])

    def test_budget_that_lasts_differs_from_no_data(self) -> None:
        """A budget that lasts reads otherwise than no data and than an exhausted one."""
        panel = self.STATS["Budget exhausted in"]
        jobs = [
            {"kind": "stat", "panel": panel, "results": {"A": [answer(value)] if value else []}}
            for value in ("+Inf", "0", "13.34", "")
        ]

        assert ["never at this rate", "exhausted", "13.3 hour", "no data"] == [
            shown[0]["text"] for shown in run_jobs(jobs)
        ]


class TestTable:
    def rows(self, budgets: Mapping[str, float]) -> list[Mapping[str, str]]:
        """Return the rows of the table of SLOs: with these budgets left, and one without data."""
        panel = panel_of("slo-tracking.json", SLO_TABLE)
        declared = {"objective": "99.9%", "period": "30d", "owner": "us"}
        sort = panel["targets"][-1]["refId"]
        states = [answer(float(left >= 0), slo=name, **declared) for name, left in budgets.items()]
        nothing: dict[str, list[Any]] = {target["refId"]: [] for target in panel["targets"]}
        results = nothing | {
            "A": [answer(-1, slo="silent", **declared), *states],
            "B": [answer(0.9985, slo=name) for name in budgets],
            "C": [answer(left, slo=name) for name, left in budgets.items()],
            sort: [answer(left, slo=name) for name, left in {**budgets, "silent": 0}.items()],
        }
        (columns,) = run_jobs([{"kind": "table", "panel": panel, "results": results}])
        cells = zip(
            *([cell["text"] for cell in column["cells"]] for column in columns), strict=True
        )
        return [dict(zip((c["title"] for c in columns), row, strict=True)) for row in cells]

    def test_worst_slo_is_first(self) -> None:
        """Overspent budgets come first, then SLOs without data, then the others."""
        rows = self.rows({"fine": 0.9, "worst": -117.0, "low": 0.1, "bad": -0.5})

        assert ["worst", "bad", "silent", "low", "fine"] == [row["SLO"] for row in rows]

    def test_row_joins_answers_of_all_queries(self) -> None:
        """A row has the values of all queries about its SLO, with the decimals of the objective."""
        (row, _) = self.rows({"one": -0.5})

        assert ("SLO not met", "99.850%", "-50.0%", "99.9%") == (
            row["State"],
            row["Good events"],
            row["Budget left"],
            row["Objective"],
        )

    def test_row_without_data_says_so_in_each_column(self) -> None:
        """The row of an SLO without data has no number."""
        (row,) = (row for row in self.rows({"one": 0.5}) if row["SLO"] == "silent")

        assert {"no data"} == {row[title] for title in ("State", "Good events", "Budget left")}


PANEL_TYPES = {
    "timeseries": ("TimeSeriesPanelCfg", "FieldConfig"),
    "stat": ("StatPanelCfg", ""),
    "table": ("TablePanelCfg", "FieldConfig"),
    "heatmap": ("HeatmapPanelCfg", "FieldConfig"),
    "state-timeline": ("StateTimelinePanelCfg", "FieldConfig"),
}
"""The module of Grafana's schema for each type of panel, and its type of custom fields."""
FOLDERS = {"state-timeline": "statetimeline"}
OLDER = {"footer"}
"""Options of older versions of Grafana, which the SDK always writes."""
PLAIN = """\
// JSON has the values of enumerations as texts.
type Plain<T> = T extends string ? `${T}` : T extends (infer U)[] ? Plain<U>[]
  : T extends object ? { [K in keyof T]?: Plain<T[K]> } : T;
"""
COMPILER = {"strict": True, "noEmit": True, "skipLibCheck": True, "module": "nodenext", "types": []}


class TestTypes:
    def check(self, folder: Path, change: Callable[[Any], None] = lambda _: None) -> str:
        """Return the type errors of the options and fields of every panel, after a change."""
        files = {}
        for panel_type, (module, fields) in PANEL_TYPES.items():
            lines = [_import(panel_type, module, fields), PLAIN]
            for page in pages().values():
                for original in panels(page):
                    if original["type"] == panel_type:
                        panel = json.loads(json.dumps(original))
                        change(panel)
                        lines.extend(_typed(panel, fields, len(lines)))
            files[f"{panel_type}.ts"] = "\n".join(lines)
        for name, text in files.items():
            (folder / name).write_text(text)
        config = {"compilerOptions": COMPILER, "files": sorted(files)}
        (folder / "tsconfig.json").write_text(json.dumps(config))
        return check_types(folder)

    def test_options_and_fields_of_panels_have_types_of_grafanas_schema(
        self, tmp_path: Path
    ) -> None:
        """The options and the custom fields of every panel have the types of Grafana's schema."""
        assert "" == self.check(tmp_path)

    def test_unknown_option_is_detected(self, tmp_path: Path) -> None:
        """An option that Grafana does not have is an error."""

        def misspell(panel: Any) -> None:
            panel["options"]["legendary"] = True

        assert "legendary" in self.check(tmp_path, misspell)


def _import(panel_type: str, module: str, fields: str) -> str:
    folder = FOLDERS.get(panel_type, panel_type)
    path = f"@grafana/schema/dist/esm/raw/composable/{folder}/panelcfg/x/{module}_types.gen"
    names = ", ".join(name for name in ("Options", fields) if name)
    return f'import type {{ {names} }} from "./node_modules/{path}";'


def _typed(panel: Any, fields: str, number: int) -> Iterator[str]:
    options = {name: value for name, value in panel["options"].items() if name not in OLDER}
    yield f"const options{number}: Plain<Options> = {json.dumps(options)};"
    custom = panel["fieldConfig"]["defaults"].get("custom")
    if fields and custom:
        yield f"const fields{number}: Plain<{fields}> = {json.dumps(custom)};"

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

from tests.render.stack.committed_stack import ROOT, STACK, compose, read

SOURCES: dict[str, Any] = {
    source["uid"]: source
    for source in read("grafana/provisioning/datasources/otel-meta.yaml")["datasources"]
}
MOUNTS = dict(volume.split(":")[:2] for volume in compose()["grafana"]["volumes"])


def test_every_data_source_has_required_fields_and_prometheus_is_default() -> None:
    """Every data source has the required fields, and Prometheus is the default."""
    for source in SOURCES.values():
        assert {"name", "uid", "type", "url", "access"} <= source.keys()
    assert ["prometheus"] == [uid for uid, source in SOURCES.items() if source.get("isDefault")]


def test_exemplar_links_to_jaeger_by_its_label_trace_id() -> None:
    """An exemplar links to Jaeger by its label trace_id."""
    (destination,) = SOURCES["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]

    assert "trace_id" == destination["name"]
    assert "jaeger" == SOURCES[destination["datasourceUid"]]["type"]


def test_data_source_variables_of_dashboards_have_prometheus_and_jaeger() -> None:
    """The data source variables of dashboards have a Prometheus and a Jaeger to select."""
    types = {
        variable["query"]
        for path in (ROOT / "dashboards").glob("*.json")
        for variable in json.loads(path.read_text())["templating"]["list"]
        if variable["type"] == "datasource"
    }

    assert types - {"tempo"} == {"prometheus", "jaeger"}
    assert types - {"tempo"} <= {source["type"] for source in SOURCES.values()}


def test_provider_and_home_page_have_path_of_mounted_dashboards() -> None:
    """The provider and the home page have the path at which dashboards/ is mounted."""
    (provider,) = read("grafana/provisioning/dashboards/otel-meta.yaml")["providers"]
    environment = compose()["grafana"]["environment"]
    home = PurePosixPath(environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])

    assert MOUNTS["../dashboards"] == provider["options"]["path"] == str(home.parent)
    assert (ROOT / "dashboards" / home.name).is_file()


def test_every_provisioning_folder_is_mounted_below_etc_grafana() -> None:
    """Every provisioning folder is mounted below /etc/grafana/provisioning."""
    for path in (STACK / "grafana" / "provisioning").iterdir():
        assert (
            f"/etc/grafana/provisioning/{path.name}"
            == MOUNTS[f"./grafana/provisioning/{path.name}"]
        )

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

from tests.render.stack.support import ROOT, STACK, compose, read

SOURCES: dict[str, Any] = {
    source["uid"]: source
    for source in read("grafana/provisioning/datasources/otel-meta.yaml")["datasources"]
}
MOUNTS = dict(volume.split(":")[:2] for volume in compose()["grafana"]["volumes"])


def test_sources() -> None:
    """Each data source has what Grafana asks for, and one is the default."""
    for source in SOURCES.values():
        assert {"name", "uid", "type", "url", "access"} <= source.keys()
    assert ["prometheus"] == [uid for uid, source in SOURCES.items() if source.get("isDefault")]


def test_exemplars() -> None:
    """A dot of an exemplar leads, by the label that exemplars have, to the trace store."""
    (destination,) = SOURCES["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]

    assert "trace_id" == destination["name"]
    assert "jaeger" == SOURCES[destination["datasourceUid"]]["type"]


def test_dashboards_have_their_sources() -> None:
    """A dashboard finds a Prometheus and a Jaeger to choose."""
    asked = {
        variable["query"]
        for path in (ROOT / "dashboards").glob("*.json")
        for variable in json.loads(path.read_text())["templating"]["list"]
        if variable["type"] == "datasource"
    }

    assert asked - {"tempo"} == {"prometheus", "jaeger"}
    assert asked - {"tempo"} <= {source["type"] for source in SOURCES.values()}


def test_dashboards_are_found() -> None:
    """The provider and the home page name dashboards/ where it is mounted."""
    (provider,) = read("grafana/provisioning/dashboards/otel-meta.yaml")["providers"]
    environment = compose()["grafana"]["environment"]
    home = PurePosixPath(environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])

    assert MOUNTS["../dashboards"] == provider["options"]["path"] == str(home.parent)
    assert (ROOT / "dashboards" / home.name).is_file()


def test_provisioning_is_found() -> None:
    """Each folder of provisioning is mounted where Grafana looks for it."""
    for path in (STACK / "grafana" / "provisioning").iterdir():
        assert (
            f"/etc/grafana/provisioning/{path.name}"
            == MOUNTS[f"./grafana/provisioning/{path.name}"]
        )

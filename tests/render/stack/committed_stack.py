"""Reads the committed files of the stack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from otel_meta.render.collector.substitution import resolve_variables
from tests.yaml_files import read_all_yaml, read_yaml

ROOT = Path(__file__).resolve().parents[3]
STACK = ROOT / "stack"
KUBERNETES = STACK / "kubernetes"
COMPOSE_FILES = ("compose.yaml", "compose.examples.yaml")


@cache
def read(path: str) -> Any:
    """Read a YAML file of one document, by its path relative to stack/."""
    return read_yaml((STACK / path).read_text())


@cache
def compose() -> dict[str, dict[str, Any]]:
    """Return the services of both compose files: the stack, and the example services."""
    services: dict[str, dict[str, Any]] = {
        name: service for file in COMPOSE_FILES for name, service in read(file)["services"].items()
    }
    return services


def network_of(service: str) -> str:
    """Return the service that owns the network of a service: another one, or the service itself."""
    return str(compose()[service].get("network_mode", service)).removeprefix("service:")


def hosts_of(service: str) -> set[str]:
    """Return the DNS names of a service in the network of the compose file."""
    owner = network_of(service)
    networks = compose()[owner].get("networks", {"default": {}})
    return {owner, *networks["default"].get("aliases", ())}


def manifests(*names: str) -> Iterator[Any]:
    """Return the resources of some files in stack/kubernetes/, or of all files."""
    paths = [KUBERNETES / name for name in names] or sorted(KUBERNETES.rglob("*.yaml"))
    for path in paths:
        yield from read_all_yaml(path.read_text())


def only(kind: str, *names: str) -> Any:
    """Return the only resource of a kind in some files."""
    (resource,) = (resource for resource in manifests(*names) if resource["kind"] == kind)
    return resource


def copied_paths() -> set[str]:
    """Return the paths of the repository that the Dockerfile copies into the image."""
    lines = re.findall(r"^COPY (.*) \S+$", (STACK / "Dockerfile").read_text(), re.MULTILINE)
    return {source for line in lines for source in line.split()}


def collector_config(service: str) -> Any:
    """Return the configuration of a Collector in the compose file, with variables resolved."""
    (argument,) = compose()[service]["command"]
    name = argument.rpartition("/")[2]
    text = (ROOT / "collector-config" / name).read_text()
    return resolve_variables(read_yaml(text), compose()[service]["environment"])


COLLECTORS = [
    name for name, service in compose().items() if "otelcol" in str(service.get("command"))
]
"""Names of the compose file's services that run a Collector."""


def exposed_ports(config: Any) -> Iterator[int]:
    """Return the ports of a Collector for connections from other hosts."""
    yield int(config["extensions"]["health_check"]["endpoint"].rpartition(":")[2])
    reader = config["service"]["telemetry"]["metrics"]["readers"][0]["pull"]["exporter"]
    yield int(reader["prometheus"]["port"])
    endpoints = [
        protocol["endpoint"] for protocol in config["receivers"]["otlp"]["protocols"].values()
    ]
    endpoints += [e["endpoint"] for n, e in config["exporters"].items() if n == "prometheus"]
    yield from (int(e.rpartition(":")[2]) for e in endpoints if e.startswith("0.0.0.0"))

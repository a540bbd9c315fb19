"""The stack's files as they are committed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from otel_meta.render.collector.substitution import settled

ROOT = Path(__file__).resolve().parents[3]
STACK = ROOT / "stack"
KUBERNETES = STACK / "kubernetes"


@cache
def read(path: str) -> Any:
    """One document below stack/."""
    return yaml.safe_load((STACK / path).read_text())


@cache
def compose() -> dict[str, dict[str, Any]]:
    """The compose file's services."""
    services: dict[str, dict[str, Any]] = read("compose.yaml")["services"]
    return services


def manifests(*names: str) -> Iterator[Any]:
    """The resources in these files below stack/kubernetes/, or in all."""
    paths = [KUBERNETES / name for name in names] or sorted(KUBERNETES.rglob("*.yaml"))
    for path in paths:
        yield from yaml.safe_load_all(path.read_text())


def only(kind: str, *names: str) -> Any:
    """The one resource of a kind in these files."""
    (found,) = (one for one in manifests(*names) if one["kind"] == kind)
    return found


def copied() -> set[str]:
    """What of the repository goes into the image of the example services."""
    lines = re.findall(r"^COPY (.*) \S+$", (STACK / "Dockerfile").read_text(), re.MULTILINE)
    return {source for line in lines for source in line.split()}


def collector(service: str) -> Any:
    """What a Collector of the compose file is told, its variables settled."""
    (argument,) = compose()[service]["command"]
    name = argument.rpartition("/")[2]
    text = (ROOT / "collector-config" / name).read_text()
    return settled(yaml.safe_load(text), compose()[service]["environment"])


COLLECTORS = [name for name, one in compose().items() if "otelcol" in str(one.get("command"))]


def ports_of(config: Any) -> Iterator[int]:
    """What a Collector listens on for others than its service."""
    yield int(config["extensions"]["health_check"]["endpoint"].rpartition(":")[2])
    reader = config["service"]["telemetry"]["metrics"]["readers"][0]["pull"]["exporter"]
    yield reader["prometheus"]["port"]
    endpoints = [
        protocol["endpoint"] for protocol in config["receivers"]["otlp"]["protocols"].values()
    ]
    endpoints += [e["endpoint"] for n, e in config["exporters"].items() if n == "prometheus"]
    yield from (int(e.rpartition(":")[2]) for e in endpoints if e.startswith("0.0.0.0"))

"""Collectors with the committed configuration, on ports of their own; changed as a user would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from otel_meta.testing.loopback import free_port
from otel_meta.testing.servers import COLLECTOR, Backend, Program
from tests.rules.pinned_tools import ROOT
from tests.rules.prometheus_server import fetch

Config = Mapping[str, Any]

_FOLDER = ROOT / "collector-config"
_PORTS = {
    "sidecar.yaml": ("OTLP_GRPC", "OTLP_HTTP", "METRICS", "SELF_METRICS", "HEALTH"),
    "gateway.yaml": ("GATEWAY", "GATEWAY_SELF_METRICS", "GATEWAY_HEALTH"),
}


class Collector(Backend):
    """A Collector with one of the committed files, and a second one of a test's own over it."""

    def __init__(
        self,
        file: str,
        folder: Path,
        change: Config | None = None,
        *,
        program: Program = COLLECTOR,
        **variables: str | int,
    ) -> None:
        self.ports = {name: free_port() for name in _PORTS[file]}
        named = {f"{name}_PORT": number for name, number in self.ports.items()}
        queue = f"{'GATEWAY_' if 'GATEWAY' in self.ports else ''}QUEUE_DIR"
        given = {queue: folder / "queue", **named, **variables}
        self.queue = Path(str(given[queue]))
        own = folder / "own.yaml"
        folder.mkdir(parents=True)
        own.write_text(yaml.safe_dump(dict(change or {})))
        health = next(number for name, number in self.ports.items() if "HEALTH" in name)
        super().__init__(
            program=program,
            folder=folder,
            config=(_FOLDER / file).read_text(),
            port=health,
            more=(f"--config={own}",),
            environment={f"OTEL_META_{name}": str(value) for name, value in given.items()},
        )

    @property
    def otlp(self) -> str:
        """Where services send OTLP over HTTP."""
        return f"http://127.0.0.1:{self.ports['OTLP_HTTP']}"

    def series(self, name: str) -> Iterator[tuple[Mapping[str, str], float]]:
        """What it says about itself under a name, the prefix ``otelcol_`` left out."""
        port = next(number for name, number in self.ports.items() if "SELF_METRICS" in name)
        text = fetch(f"http://127.0.0.1:{port}/metrics").decode()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                # The parser gives counters the ending that these have been told to leave out.
                if sample.name.removesuffix("_total") == f"otelcol_{name}":
                    yield sample.labels, sample.value

    def total(self, name: str) -> int:
        """The same, added up."""
        return round(sum(value for _, value in self.series(name)))


def merged(one: Config, other: Config) -> dict[str, Any]:
    """Two changes as one; where both say something, the second."""
    both = {key: merged(one[key], other[key]) for key in _maps(one) & _maps(other)}
    return {**one, **other, **both}


def _maps(config: Config) -> set[str]:
    return {key for key, value in config.items() if isinstance(value, Mapping)}

"""Collectors with the committed configuration on free ports, and with changes of a test."""

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
    "gateway.yaml": (
        "GATEWAY",
        "GATEWAY_METRICS",
        "GATEWAY_SELF_METRICS",
        "GATEWAY_HEALTH",
    ),
}


class Collector(Backend):
    """A Collector with a committed configuration, and with a second configuration merged over it.

    Args:
        file: the name of the committed configuration.
        folder: the files of this Collector; the folder is created.
        change: the second configuration, as users would add one.
        program: the program to run.
        variables: values of ``OTEL_META_*`` variables, without the prefix.
    """

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
        ports = {f"{name}_PORT": number for name, number in self.ports.items()}
        queue_variable = f"{'GATEWAY_' if 'GATEWAY' in self.ports else ''}QUEUE_DIR"
        settings = {queue_variable: folder / "queue", **ports, **variables}
        self.queue = Path(str(settings[queue_variable]))
        second_config = folder / "own.yaml"
        folder.mkdir(parents=True)
        second_config.write_text(yaml.safe_dump(dict(change or {})))
        health = next(number for name, number in self.ports.items() if "HEALTH" in name)
        super().__init__(
            program=program,
            folder=folder,
            config=(_FOLDER / file).read_text(),
            port=health,
            more=(f"--config={second_config}",),
            environment={f"OTEL_META_{name}": str(value) for name, value in settings.items()},
        )

    @property
    def otlp(self) -> str:
        """The base URL of the OTLP receiver over HTTP."""
        return f"http://127.0.0.1:{self.ports['OTLP_HTTP']}"

    def series(self, name: str) -> Iterator[tuple[Mapping[str, str], float]]:
        """Yield labels and value of each series of ``otelcol_<name>``, about the Collector."""
        port = next(number for name, number in self.ports.items() if "SELF_METRICS" in name)
        text = fetch(f"http://127.0.0.1:{port}/metrics").decode()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                # The parser adds "_total" to counters, which this configuration leaves out.
                if sample.name.removesuffix("_total") == f"otelcol_{name}":
                    yield sample.labels, sample.value

    def total(self, name: str) -> int:
        """Return the sum of all series of ``otelcol_<name>``."""
        return round(sum(value for _, value in self.series(name)))


def merge_configs(first: Config, second: Config) -> dict[str, Any]:
    """Merge two configurations; where both have a value, the second has priority."""
    both = {
        key: merge_configs(first[key], second[key])
        for key in _mapping_keys(first) & _mapping_keys(second)
    }
    return {**first, **second, **both}


def _mapping_keys(config: Config) -> set[str]:
    return {key for key, value in config.items() if isinstance(value, Mapping)}

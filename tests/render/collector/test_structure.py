"""What has to hold of every Collector configuration, whatever else is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from otel_meta.model import Catalog
from otel_meta.render.collector import collector_files
from otel_meta.render.collector.env_variables import GATEWAY, SIDECAR, Variable
from otel_meta.render.collector.gateway import gateway_config
from otel_meta.render.collector.sidecar import sidecar_config
from otel_meta.render.collector.span_metrics import span_metrics_config
from otel_meta.render.collector.substitution import settled
from otel_meta.repos import BUILTIN

Config = Mapping[str, Any]
GRPC_DEFAULT = 4 * 1024 * 1024


def merged(one: Config, other: Config) -> dict[str, Any]:
    """As the Collector merges two files: maps are merged, the rest is replaced."""
    both = {
        key: merged(one[key], other[key])
        for key in one.keys() & other.keys()
        if isinstance(one[key], Mapping) and isinstance(other[key], Mapping)
    }
    return {**one, **other, **both}


CONFIGS: dict[str, Config] = {
    "sidecar": sidecar_config(),
    "sidecar and span metrics": merged(sidecar_config(), span_metrics_config()),
    "gateway": gateway_config(BUILTIN),
    "gateway of nobody": gateway_config(Catalog()),
}
every = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def pipelines(config: Config) -> Mapping[str, Config]:
    """What runs."""
    found: Mapping[str, Config] = config["service"]["pipelines"]
    return found


def senders(config: Config) -> Iterator[Config]:
    """Exporters that send over a network."""
    names = {name for p in pipelines(config).values() for name in p["exporters"]}
    for name in names & config["exporters"].keys():
        if name.partition("/")[0] in {"load_balancing", "otlp_grpc", "otlp_http"}:
            yield config["exporters"][name]


def leaves(value: Any) -> Iterator[str]:
    """Every text in a configuration."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    elif isinstance(value, str):
        yield value


@every
@pytest.mark.parametrize("kind", ["receivers", "processors", "exporters"])
def test_declared_and_used(config: Config, kind: str) -> None:
    """Every component that a pipeline names is declared, and none is declared in vain."""
    connectors = set(config.get("connectors", ()))
    used = {name for pipeline in pipelines(config).values() for name in pipeline[kind]}

    assert config[kind].keys() == used - connectors
    assert connectors <= used or kind == "processors"
    assert set(config["service"]["extensions"]) == config["extensions"].keys()


@every
def test_memory_first(config: Config) -> None:
    """Whatever comes from outside meets the memory limiter first."""
    first = {
        pipeline["processors"][0]
        for pipeline in pipelines(config).values()
        if "otlp" in pipeline["receivers"]
    }

    assert {"memory_limiter"} == first


@every
def test_delivery(config: Config) -> None:
    """What is sent waits on disk, is tried for ever, and fits into a message."""
    for exporter in senders(config):
        queue, retry = exporter["sending_queue"], exporter["retry_on_failure"]

        assert queue["storage"] in config["service"]["extensions"]
        assert (True, 0) == (retry["enabled"], retry["max_elapsed_time"])
        assert GRPC_DEFAULT > queue["batch"]["max_size"]
        assert "bytes" == queue["sizer"]


@every
def test_no_batch_before_queues(config: Config) -> None:
    """No batch processor confirms what is not on disk."""
    assert not any(name.startswith("batch") for name in config["processors"])


@every
def test_redaction(config: Config) -> None:
    """Traces and logs that leave have been redacted."""
    leaving = [
        pipeline["processors"]
        for pipeline in pipelines(config).values()
        if not set(pipeline["exporters"]) & {"prometheus", "span_metrics"}
    ]

    assert leaving
    assert all("redaction" in processors for processors in leaving)


@every
def test_loopback(config: Config) -> None:
    """With no variable set, nothing listens beyond loopback."""
    plain: Any = settled(dict(config), {})
    reader = plain["service"]["telemetry"]["metrics"]["readers"][0]["pull"]["exporter"]
    listening = [
        plain["extensions"]["health_check"]["endpoint"],
        *(p["endpoint"] for p in plain["receivers"]["otlp"]["protocols"].values()),
        *(e["endpoint"] for name, e in plain["exporters"].items() if name == "prometheus"),
        f"{reader['prometheus']['host']}:{reader['prometheus']['port']}",
    ]

    assert {"127.0.0.1"} == {endpoint.partition(":")[0] for endpoint in listening}
    assert len(listening) == len(set(listening))


@pytest.mark.parametrize("file", ["sidecar.yaml", "gateway.yaml"])
def test_sidecar_receives_on_loopback_alone(file: str) -> None:
    """No variable lets the sidecar take OTLP from elsewhere; a gateway has to."""
    config = sidecar_config() if file == "sidecar.yaml" else gateway_config(BUILTIN)
    beyond: Any = settled(config, {"OTEL_META_EXPOSE_HOST": "0.0.0.0"})
    endpoints = [p["endpoint"] for p in beyond["receivers"]["otlp"]["protocols"].values()]

    assert ("gateway" in file) == any(endpoint.startswith("0.0.0.0") for endpoint in endpoints)


@pytest.mark.parametrize(
    ("config", "variables"),
    [(CONFIGS["sidecar"], SIDECAR), (CONFIGS["gateway"], GATEWAY)],
    ids=["sidecar", "gateway"],
)
def test_variables(config: Config, variables: tuple[Variable, ...]) -> None:
    """The variables that are read are those that the page lists, and each has one default."""
    read = {
        found
        for text in leaves(config)
        for found in re.findall(r"\$\{env:(\w+):-([^}]*)\}", text)
        if found != ("OTEL_META_INSTANCE", "local")  # which tells the Collector's own metrics
    }

    listed = {(variable.name, variable.default) for variable in variables}
    assert listed - {("OTEL_META_INSTANCE", "")} == read - {("OTEL_META_INSTANCE", "")}


def test_ports() -> None:
    """A sidecar and a gateway can run side by side: no port is both's, but the one between them."""
    ports = [
        {v.default for v in variables if v.name.endswith("_PORT")}
        for variables in (SIDECAR, GATEWAY)
    ]

    assert {"14317"} == ports[0] & ports[1]


def test_files() -> None:
    """Notes are comments in the files, and every comment is of one line."""
    for name, text in collector_files(BUILTIN):
        assert "'#" not in text, name

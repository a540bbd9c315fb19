"""Checks the rules that every Collector configuration has to follow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from otel_meta.model import Catalog
from otel_meta.render.collector import collector_files
from otel_meta.render.collector.env_variables import (
    GATEWAY_LOG_EXPORTER,
    GATEWAY_VARIABLES,
    LOG_EXPORTER,
    SIDECAR_VARIABLES,
    Variable,
)
from otel_meta.render.collector.gateway import gateway_config
from otel_meta.render.collector.secret_masking import (
    LOG_REDACTION,
    METRIC_REDACTION,
    SPAN_REDACTION,
)
from otel_meta.render.collector.sidecar import sidecar_config
from otel_meta.render.collector.span_metrics import span_metrics_config
from otel_meta.render.collector.substitution import resolve_variables
from otel_meta.repos import BUILTIN

Config = Mapping[str, Any]
CHOICES = {
    str(LOG_EXPORTER): {"nop", "load_balancing"},
    str(GATEWAY_LOG_EXPORTER): {"nop", "otlp_http/log_store"},
}
"""Documented values of the variables that name a component."""
REDACTION_OF = {
    "traces": SPAN_REDACTION,
    "logs": LOG_REDACTION,
    "metrics": METRIC_REDACTION,
}
GRPC_MAX_BYTES = 4 * 1024 * 1024


def merge(first: Config, second: Config) -> dict[str, Any]:
    """Merge two files as the Collector does: maps are merged, other values are replaced."""
    maps = {
        key: merge(first[key], second[key])
        for key in first.keys() & second.keys()
        if isinstance(first[key], Mapping) and isinstance(second[key], Mapping)
    }
    return {**first, **second, **maps}


CONFIGS: dict[str, Config] = {
    "sidecar": sidecar_config(),
    "sidecar and span metrics": merge(sidecar_config(), span_metrics_config()),
    "gateway": gateway_config(BUILTIN),
    "gateway without meta-repositories": gateway_config(Catalog()),
}
for_every_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def pipelines(config: Config) -> Mapping[str, Config]:
    """Return the pipelines of a configuration."""
    by_name: Mapping[str, Config | None] = config["service"]["pipelines"]
    return {name: pipeline for name, pipeline in by_name.items() if pipeline}  # without comments


def network_exporters(config: Config) -> Iterator[Config]:
    """Return the exporters in use that send over a network."""
    for name in config["exporters"]:
        if name.partition("/")[0] in {"load_balancing", "otlp_grpc", "otlp_http"}:
            yield config["exporters"][name]


def leaves(value: Any) -> Iterator[str]:
    """Return all texts of a configuration."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str):
        yield value


@for_every_config
@pytest.mark.parametrize("kind", ["receivers", "processors", "exporters"])
def test_pipelines_use_exactly_declared_components(config: Config, kind: str) -> None:
    """Pipelines use exactly the declared components."""
    connectors = set(config.get("connectors", ()))
    used = {
        choice
        for pipeline in pipelines(config).values()
        for name in pipeline[kind]
        for choice in CHOICES.get(name, {name})
    }

    assert config[kind].keys() == used - connectors
    assert connectors <= used or kind == "processors"
    assert set(config["service"]["extensions"]) == config["extensions"].keys()


@for_every_config
def test_memory_limiter_is_first_processor_of_every_pipeline(config: Config) -> None:
    """The memory limiter is the first processor of every pipeline with received data."""
    first = {
        pipeline["processors"][0]
        for pipeline in pipelines(config).values()
        if "otlp" in pipeline["receivers"]
    }

    assert {"memory_limiter"} == first


@for_every_config
def test_exporters_queue_on_disk_and_retry_without_limit(config: Config) -> None:
    """Exporters queue on disk, retry without limit, and send batches below the gRPC limit."""
    for exporter in network_exporters(config):
        queue, retry = exporter["sending_queue"], exporter["retry_on_failure"]

        assert queue["storage"] in config["service"]["extensions"]
        assert (True, 0) == (retry["enabled"], retry["max_elapsed_time"])
        assert GRPC_MAX_BYTES > queue["batch"]["max_size"]
        assert "bytes" == queue["sizer"]


@for_every_config
def test_files_are_limited_and_shrink_only_once_they_hold_little(config: Config) -> None:
    """Files of queues have a maximum, and shrink once they hold little, never at the start."""
    storage = config["extensions"]["file_storage/queue"]
    compaction = storage["compaction"]

    assert "QUEUE_FILE_BYTES" in storage["max_size"]
    assert (False, True) == (compaction["on_start"], compaction["on_rebound"])
    assert compaction["rebound_trigger_threshold_mib"] < compaction["rebound_needed_threshold_mib"]


@for_every_config
def test_no_batch_processor_accepts_data_before_it_is_on_disk(config: Config) -> None:
    """No batch processor accepts data before it is on disk, except for data of tail sampling."""
    for pipeline in pipelines(config).values():
        batched = [name for name in pipeline["processors"] if name.startswith("batch")]
        if batched == ["batch/in_turn"]:  # which makes no batches, of metrics in memory alone
            assert 0 == config["processors"]["batch/in_turn"]["send_batch_size"]
            continue

        assert not batched or "tail_sampling" in pipeline["processors"]


@for_every_config
def test_every_pipeline_of_received_data_has_redaction(config: Config) -> None:
    """Every pipeline has the redaction of its signal, also the pipeline that counts spans."""
    for name, pipeline in pipelines(config).items():
        signal = name.partition("/")[0]
        if "otlp" in pipeline["receivers"]:
            assert {*REDACTION_OF[signal]} <= {*pipeline["processors"]}, name


@for_every_config
def test_without_variables_all_components_listen_on_loopback_only(config: Config) -> None:
    """Without variables, all components listen on loopback only."""
    default: Any = resolve_variables(dict(config), {})
    reader = default["service"]["telemetry"]["metrics"]["readers"][0]["pull"]["exporter"]
    listening = [
        default["extensions"]["health_check"]["endpoint"],
        *(p["endpoint"] for p in default["receivers"]["otlp"]["protocols"].values()),
        *(e["endpoint"] for name, e in default["exporters"].items() if name == "prometheus"),
        f"{reader['prometheus']['host']}:{reader['prometheus']['port']}",
    ]

    assert {"127.0.0.1"} == {endpoint.partition(":")[0] for endpoint in listening}
    assert len(listening) == len(set(listening))


@pytest.mark.parametrize("file", ["sidecar.yaml", "gateway.yaml"])
def test_expose_host_opens_otlp_receiver_of_gateway_only(file: str) -> None:
    """OTEL_META_EXPOSE_HOST opens the OTLP receiver of the gateway, but not of the sidecar."""
    config = sidecar_config() if file == "sidecar.yaml" else gateway_config(BUILTIN)
    exposed: Any = resolve_variables(config, {"OTEL_META_EXPOSE_HOST": "0.0.0.0"})
    endpoints = [p["endpoint"] for p in exposed["receivers"]["otlp"]["protocols"].values()]

    assert ("gateway" in file) == any(endpoint.startswith("0.0.0.0") for endpoint in endpoints)


@pytest.mark.parametrize(
    ("config", "variables"),
    [(CONFIGS["sidecar"], SIDECAR_VARIABLES), (CONFIGS["gateway"], GATEWAY_VARIABLES)],
    ids=["sidecar", "gateway"],
)
def test_configuration_reads_exactly_listed_variables(
    config: Config, variables: tuple[Variable, ...]
) -> None:
    """A configuration reads exactly the listed variables, each with its listed default."""
    read = {
        reference
        for text in leaves(config)
        for reference in re.findall(r"\$\{env:(\w+):-([^}]*)\}", text)
        if reference != ("OTEL_META_INSTANCE", "local")  # of the Collector's own metrics
    }

    listed = {(variable.name, variable.default) for variable in variables}
    assert listed - {("OTEL_META_INSTANCE", "")} == read - {("OTEL_META_INSTANCE", "")}


def test_sidecar_and_gateway_share_only_one_port() -> None:
    """A sidecar and a gateway share only the port for OTLP from sidecar to gateway."""
    ports = [
        {v.default for v in variables if v.name.endswith("_PORT")}
        for variables in (SIDECAR_VARIABLES, GATEWAY_VARIABLES)
    ]

    assert {"14317"} == ports[0] & ports[1]


def test_notes_are_rendered_as_comments_not_as_keys() -> None:
    """Notes are rendered as comments, not as keys."""
    for name, text in collector_files(BUILTIN):
        assert "'#" not in text, name

"""Checks that a server of the stack listens at every address in the stack's files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from otel_meta.render.collector.env_variables import GATEWAY_VARIABLES, SIDECAR_VARIABLES
from tests.render.stack.committed_stack import (
    COLLECTORS,
    STACK,
    collector_config,
    compose,
    exposed_ports,
    hosts_of,
    network_of,
    read,
)

DEFAULT_PORTS = {
    "jaeger": {4317, 16686},
    "prometheus": {9090},
    "alertmanager": {9093},
    "grafana": {3000},
}
"""Ports of servers without a port in their command."""
COLLECTOR_VARIABLES = {variable.name for variable in (*SIDECAR_VARIABLES, *GATEWAY_VARIABLES)}


def open_ports(service: str) -> Iterator[int]:
    """Return the ports of a service for connections from other hosts."""
    yield from DEFAULT_PORTS.get(service, ())
    for argument in compose()[service].get("command", ()):
        if argument.startswith("--port="):
            yield int(argument.partition("=")[2])
    if service in COLLECTORS:
        yield from exposed_ports(collector_config(service))


def open_addresses() -> set[tuple[str, int]]:
    """Return host and port of every server in the stack."""
    return {
        (host, port) for name in compose() for port in open_ports(name) for host in hosts_of(name)
    }


def used_addresses() -> Iterator[tuple[str, int]]:
    """Return host and port of every address in the stack's files."""
    for text in _texts([*_configured_addresses()]):
        yield from _address(text)
    for service in compose().values():
        for text in _texts([service.get("environment", {}), service.get("command", [])]):
            yield from _address(text.partition("=")[2] if text.startswith("--") else text)
    for name in COLLECTORS:
        exporters = collector_config(name)["exporters"]
        if "load_balancing" in exporters:
            dns = exporters["load_balancing"]["resolver"]["dns"]
            yield dns["hostname"], int(dns["port"])


def _configured_addresses() -> Iterator[Any]:
    """Return the parts of configuration files with addresses."""
    yield read("prometheus.yml")["scrape_configs"]
    yield from (read(f"targets/{path.name}") for path in sorted((STACK / "targets").glob("*.yml")))
    yield read("prometheus.yml")["alerting"]
    yield read("alertmanager.yml")["receivers"]
    for source in read("grafana/provisioning/datasources/otel-meta.yaml")["datasources"]:
        yield source["url"]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def _address(text: str) -> Iterator[tuple[str, int]]:
    if match := re.fullmatch(r"(?:https?://)?([a-z][a-z0-9-]*):(\d+)(?:/.*)?", text):
        yield match[1], int(match[2])


class TestAddresses:
    def test_server_listens_at_every_address_in_stacks_files(self) -> None:
        """A server listens at every address in the stack's files."""
        addresses = set(used_addresses())

        assert 15 <= len(addresses)
        assert set() == addresses - open_addresses()

    def test_service_sends_otlp_to_sidecar_in_its_network_namespace(self) -> None:
        """A service sends OTLP to the sidecar in its network namespace."""
        for service, definition in compose().items():
            if target := definition.get("environment", {}).get("OTEL_EXPORTER_OTLP_ENDPOINT"):
                sidecar = collector_config(f"{service}-sidecar")
                http = sidecar["receivers"]["otlp"]["protocols"]["http"]["endpoint"]

                assert urlsplit(target).netloc == http
                assert network_of(service) == network_of(f"{service}-sidecar")

    def test_published_ports_are_open_and_published_on_loopback_only(self) -> None:
        """Published ports are open, and published on loopback only."""
        for service, definition in compose().items():
            for text in definition.get("ports", ()):
                address, outside, inside = text.split(":")

                assert "127.0.0.1" == address
                assert outside == inside
                sharing = [name for name in compose() if network_of(name) == service]
                assert int(inside) in {port for name in sharing for port in open_ports(name)}

    def test_both_gateways_have_dns_name_that_sidecars_resolve(self) -> None:
        """Both gateways have the DNS name that sidecars resolve."""
        gateways = [name for name in COLLECTORS if "gateway" in name]

        assert 2 == len(gateways)
        for name in gateways:
            assert "gateway" in hosts_of(name)

    def test_collector_reads_every_otel_meta_variable_in_environment(self) -> None:
        """A Collector reads every OTEL_META variable in the environment."""
        for service in COLLECTORS:
            environment = compose()[service]["environment"]
            names = {name for name in environment if name.startswith("OTEL_META_")}

            assert set() == names - COLLECTOR_VARIABLES

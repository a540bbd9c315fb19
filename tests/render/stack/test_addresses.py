"""Every address that a file of the stack names, and who listens there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from otel_meta.render.collector.env_variables import GATEWAY, SIDECAR
from tests.render.stack.support import (
    COLLECTORS,
    collector,
    compose,
    ports_of,
    read,
)

# What servers listen on without being told.
DEFAULTS = {
    "jaeger": {4317, 16686},
    "prometheus": {9090},
    "alertmanager": {9093},
    "grafana": {3000},
}
KNOWN = {variable.name for variable in (*SIDECAR, *GATEWAY)}


def host_of(service: str) -> str:
    """Under which name its ports are reached."""
    return str(compose()[service].get("network_mode", service)).removeprefix("service:")


def listening(service: str) -> Iterator[int]:
    """The ports that a service opens for others."""
    yield from DEFAULTS.get(service, ())
    for argument in compose()[service].get("command", ()):
        if argument.startswith("--port="):
            yield int(argument.partition("=")[2])
    if service in COLLECTORS:
        yield from ports_of(collector(service))


def opened() -> set[tuple[str, int]]:
    """Every address in the stack that somebody listens on."""
    aliases = {"gateway": "gateway-1"}
    found = {(host_of(name), port) for name in compose() for port in listening(name)}
    return found | {(alias, port) for alias, of in aliases.items() for port in listening(of)}


def named() -> Iterator[tuple[str, int]]:
    """Every address that a file of the stack names."""
    for text in _texts(read("prometheus.yml")["scrape_configs"]):
        yield from _address(text)
    for text in _texts(read("prometheus.yml")["alerting"]):
        yield from _address(text)
    for text in _texts(read("alertmanager.yml")["receivers"]):
        yield from _address(text)
    for source in read("grafana/provisioning/datasources/otel-meta.yaml")["datasources"]:
        yield from _address(source["url"])
    for one in compose().values():
        for text in _texts([one.get("environment", {}), one.get("command", [])]):
            yield from _address(text.partition("=")[2] if text.startswith("--") else text)
    for service in COLLECTORS:
        exporters = collector(service)["exporters"]
        if "load_balancing" in exporters:
            dns = exporters["load_balancing"]["resolver"]["dns"]
            yield dns["hostname"], int(dns["port"])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value


def _address(text: str) -> Iterator[tuple[str, int]]:
    if found := re.fullmatch(r"(?:https?://)?([a-z][a-z0-9-]*):(\d+)(?:/.*)?", text):
        yield found[1], int(found[2])


class TestAddresses:
    def test_named(self) -> None:
        """Whatever is asked at an address listens there."""
        addresses = set(named())

        assert 15 <= len(addresses)
        assert set() == addresses - opened()

    def test_loopback(self) -> None:
        """A service sends OTLP to the sidecar that shares its loopback."""
        for service, one in compose().items():
            if target := one.get("environment", {}).get("OTEL_EXPORTER_OTLP_ENDPOINT"):
                sidecar = collector(f"{service}-sidecar")
                http = sidecar["receivers"]["otlp"]["protocols"]["http"]["endpoint"]

                assert urlsplit(target).netloc == http
                assert service == host_of(f"{service}-sidecar")

    def test_published(self) -> None:
        """What is published listens, and on this machine's loopback alone."""
        for service, one in compose().items():
            for text in one.get("ports", ()):
                address, outside, inside = text.split(":")

                assert "127.0.0.1" == address
                assert outside == inside
                assert int(inside) in set(listening(service))

    def test_both_gateways(self) -> None:
        """Each gateway answers to the name that sidecars share traces out by."""
        gateways = [name for name in COLLECTORS if "gateway" in name]

        assert 2 == len(gateways)
        for name in gateways:
            assert ["gateway"] == compose()[name]["networks"]["default"]["aliases"]

    def test_variables(self) -> None:
        """Every variable that a Collector is given is one that it reads."""
        for service in COLLECTORS:
            ours = {n for n in compose()[service]["environment"] if n.startswith("OTEL_META_")}

            assert set() == ours - KNOWN

"""The compose file: gateways, Jaeger, Prometheus, Alertmanager, notifications and Grafana."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from otel_meta.model import Catalog
from otel_meta.render._yaml import comment, to_yaml
from otel_meta.render.collector import env_variables
from otel_meta.render.header import generated_from
from otel_meta.render.hosts import (
    ALERTMANAGER,
    COLLECTOR_CONFIG_DIR,
    DASHBOARDS_DIR,
    GATEWAY_NAME,
    GATEWAYS,
    GRAFANA,
    JAEGER,
    JAEGER_OTLP,
    NOTIFICATIONS,
    PROMETHEUS,
    RULES_DIR,
    Host,
)
from otel_meta.render.options import Options

from .notifications_script import NAME as NOTIFICATIONS_SCRIPT
from .prometheus_config import SCRAPE_CONFIGS, TARGETS_DIR, arguments

Service = dict[str, Any]

_PROVISIONING_DIRS: Final = ("grafana/provisioning/datasources", "grafana/provisioning/dashboards")

_ALL_ADDRESSES: Final = "0.0.0.0"  # noqa: S104  # inside a container, whose ports are published on loopback
_NOBODY: Final = "65534:65534"
_SCRATCH: Final = "/tmp:size=64m"  # noqa: S108  # of the container, in memory
_ADMIN: Final = "${GRAFANA_PASSWORD:?set GRAFANA_PASSWORD, the password of Grafana's user admin}"
_HARDENED: Final[Service] = {
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "read_only": True,
    "restart": "unless-stopped",
    **comment("Without limits, the log of a container grows until the disk is full."),
    "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
}
_COMMENT: Final = f"""\
{generated_from("otel_meta/render/stack/compose.py")}
GRAFANA_PASSWORD=... docker compose -f stack/compose.yaml up
Ports are published only on the loopback address of this machine."""


def compose_file(catalog: Catalog, options: Options) -> str:
    """Return the text of compose.yaml."""
    services = dict(_services(catalog, options))
    named = (volume.partition(":")[0] for s in services.values() for volume in s.get("volumes", ()))
    volumes = sorted({name for name in named if not name.startswith(".")})
    document: dict[str, Any] = {
        "name": "otel-meta",
        "services": services,
        "volumes": {name: {} for name in volumes},
    }
    return to_yaml(document, comment=_COMMENT)


def _services(catalog: Catalog, options: Options) -> Iterator[tuple[str, Service]]:
    for name in GATEWAYS:
        yield f"{name}-network", _gateway_network(name, options)
        yield name, _gateway(name, options)
    yield JAEGER.name, _jaeger(options)
    yield PROMETHEUS.name, _prometheus(catalog, options)
    yield ALERTMANAGER.name, _alertmanager(options)
    yield NOTIFICATIONS.name, _notifications(options)
    yield GRAFANA.name, _grafana(options)


# ------------------------------------------------------------------------------------ collectors


def _gateway_network(name: str, options: Options) -> Service:
    """Return the owner of a gateway's network.

    The Collector's image has no program for a health check, and a container of the same network
    can ask for it. The network also survives a restart of the Collector.
    """
    url = f"http://127.0.0.1:{env_variables.GATEWAY_HEALTH_PORT.default}/"
    return {
        "image": options.image("python"),
        **comment("Owns the network of the gateway, and asks its health check."),
        "command": ["sleep", "infinity"],
        "init": True,
        "user": _NOBODY,
        **_HARDENED,
        "mem_limit": "64m",
        "healthcheck": _health_check("python", "-c", _request(url)),
        "networks": {"default": {"aliases": [GATEWAY_NAME, name]}},
    }


def _gateway(name: str, options: Options) -> Service:
    config = f"{COLLECTOR_CONFIG_DIR}/gateway.yaml"
    return {
        "image": options.image("collector"),
        "command": [f"--config={config}"],
        "environment": {
            env_variables.EXPOSE_HOST.name: _ALL_ADDRESSES,
            env_variables.TRACE_STORE.name: str(JAEGER_OTLP),
            env_variables.INSTANCE.name: name,
            "GOMEMLIMIT": f"{env_variables.GATEWAY_MEMORY_MIB.default}MiB",
        },
        "volumes": [
            f"../collector-config/gateway.yaml:{config}:ro",
            f"{name}-queue:{env_variables.GATEWAY_QUEUE_DIR.default}",
        ],
        **comment("A new volume belongs to root. Without capabilities, root may only write to it."),
        "user": "0:0",
        **_HARDENED,
        "mem_limit": f"{int(env_variables.GATEWAY_MEMORY_MIB.default) * 5 // 4}m",
        "network_mode": f"service:{name}-network",
        "depends_on": {
            f"{name}-network": {"condition": "service_started", "restart": True},
            JAEGER.name: {"condition": "service_started"},
        },
        **comment("Time to sample and export the waiting traces."),
        "stop_grace_period": "60s",
    }


# -------------------------------------------------------------------------------------- backends


def _jaeger(options: Options) -> Service:
    return {
        "image": options.image("jaeger"),
        **comment("Traces are in memory, and lost after a restart."),
        "environment": {"JAEGER_LISTEN_HOST": _ALL_ADDRESSES},
        "ports": [_published(JAEGER)],
        **_HARDENED,
        "tmpfs": [_SCRATCH],
        "mem_limit": "1g",
        "healthcheck": _wget(f"http://127.0.0.1:{JAEGER.port}/"),
    }


def _prometheus(catalog: Catalog, options: Options) -> Service:
    folder = "/etc/prometheus"
    config = f"{folder}/prometheus.yml"
    return {
        "image": options.image("prometheus"),
        "command": [f"--config.file={config}", *arguments(catalog)],
        "volumes": [
            f"./prometheus.yml:{config}:ro",
            f"./{SCRAPE_CONFIGS}:{folder}/{SCRAPE_CONFIGS}:ro",
            f"./{TARGETS_DIR}:{folder}/{TARGETS_DIR}:ro",
            f"../rules:{RULES_DIR}:ro",
            "prometheus:/prometheus",
        ],
        "ports": [_published(PROMETHEUS)],
        **_HARDENED,
        **comment("Time to write the newest samples to disk."),
        "stop_grace_period": "60s",
        "healthcheck": _wget(f"http://127.0.0.1:{PROMETHEUS.port}/-/ready"),
    }


def _alertmanager(options: Options) -> Service:
    config = "/etc/alertmanager/alertmanager.yml"
    return {
        "image": options.image("alertmanager"),
        "command": [f"--config.file={config}", "--storage.path=/alertmanager"],
        "volumes": [f"./alertmanager.yml:{config}:ro", "alertmanager:/alertmanager"],
        "ports": [_published(ALERTMANAGER)],
        **_HARDENED,
        "mem_limit": "256m",
        "healthcheck": _wget(f"http://127.0.0.1:{ALERTMANAGER.port}/-/ready"),
    }


def _notifications(options: Options) -> Service:
    address = f"('127.0.0.1', {NOTIFICATIONS.port})"
    connect = f"import socket; socket.create_connection({address}, 3).close()"
    return {
        "image": options.image("python"),
        "command": ["python", f"/{NOTIFICATIONS_SCRIPT}", f"--port={NOTIFICATIONS.port}"],
        "volumes": [f"./{NOTIFICATIONS_SCRIPT}:/{NOTIFICATIONS_SCRIPT}:ro"],
        "init": True,
        "user": _NOBODY,
        **_HARDENED,
        "mem_limit": "64m",
        "healthcheck": _health_check("python", "-c", connect),
    }


def _grafana(options: Options) -> Service:
    return {
        "image": options.image("grafana"),
        "environment": {
            "GF_SECURITY_ADMIN_PASSWORD": _ADMIN,
            "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": f"{DASHBOARDS_DIR}/slo-tracking.json",
            "GF_LOG_MODE": "console",
        },
        "volumes": [
            *(f"./{part}:/etc/{part}:ro" for part in _PROVISIONING_DIRS),
            f"../dashboards:{DASHBOARDS_DIR}:ro",
            "grafana:/var/lib/grafana",
        ],
        "ports": [_published(GRAFANA)],
        **_HARDENED,
        "tmpfs": [_SCRATCH],
        "mem_limit": "512m",
        "healthcheck": _wget(f"http://127.0.0.1:{GRAFANA.port}/api/health"),
    }


def _wget(url: str) -> Service:
    """Return a health check for images with BusyBox."""
    return _health_check("wget", "-q", "-O", "/dev/null", url)


def _health_check(*command: str) -> Service:
    return {
        "test": ["CMD", *command],
        "interval": "10s",
        "timeout": "5s",
        "start_period": "60s",
        **comment("Each second at the start, so that no container waits for the interval."),
        "start_interval": "1s",
    }


def _request(url: str) -> str:
    return f"import urllib.request as r; r.urlopen('{url}', timeout=3)"


def _published(host: Host) -> str:
    return f"127.0.0.1:{host.port}:{host.port}"

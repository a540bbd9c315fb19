"""The compose file: example services, Collectors, Jaeger, Prometheus, Alertmanager and Grafana."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from otel_meta.render._yaml import comment, to_yaml
from otel_meta.render.collector import env_variables
from otel_meta.render.header import generated_from
from otel_meta.render.hosts import (
    ALERTMANAGER,
    COLLECTOR_CONFIG_DIR,
    DASHBOARDS_DIR,
    EXAMPLES,
    EXPORT_INTERVAL_MS,
    GATEWAY_NAME,
    GATEWAYS,
    GRAFANA,
    IMAGES,
    INFERENCE,
    JAEGER,
    JAEGER_OTLP,
    NOTIFICATIONS,
    PAYMENTS,
    PROMETHEUS,
    RULES_DIR,
    SERVICES_WITH_SIDECAR,
    STOREFRONT,
    Host,
)

from .prometheus_config import ARGUMENTS

Service = dict[str, Any]

_PROVISIONING_DIRS: Final = ("grafana/provisioning/datasources", "grafana/provisioning/dashboards")

_ALL_ADDRESSES: Final = "0.0.0.0"  # noqa: S104  # inside a container, whose ports are published on loopback
_SIDECAR_URL: Final = f"http://{env_variables.LOOPBACK}:{env_variables.OTLP_HTTP_PORT.default}"
_COMMENT: Final = f"""\
{generated_from("otel_meta/render/stack/compose.py")}
docker compose -f stack/compose.yaml up --build
Ports are published only on the loopback address of this machine."""


def compose_file() -> str:
    """Return the text of compose.yaml."""
    services = dict(_services())
    named = (volume.partition(":")[0] for s in services.values() for volume in s.get("volumes", ()))
    volumes = sorted({name for name in named if not name.startswith(".")})
    document: dict[str, Any] = {
        "name": "otel-meta",
        "services": services,
        "volumes": {name: {} for name in volumes},
    }
    return to_yaml(document, comment=_COMMENT)


def _services() -> Iterator[tuple[str, Service]]:
    yield STOREFRONT.name, _app_with_sidecar(STOREFRONT, PAYMENTS_URL=PAYMENTS.url)
    yield PAYMENTS.name, _app_with_sidecar(PAYMENTS)
    yield INFERENCE.name, _app(INFERENCE)
    yield "customers", _customers()
    for service in SERVICES_WITH_SIDECAR:
        yield f"{service.name}-sidecar", _sidecar(service.name)
    for name in GATEWAYS:
        yield name, _gateway(name)
    yield JAEGER.name, _jaeger()
    yield PROMETHEUS.name, _prometheus()
    yield ALERTMANAGER.name, _alertmanager()
    yield NOTIFICATIONS.name, _python("stack/notifications.py", f"--port={NOTIFICATIONS.port}")
    yield GRAFANA.name, _grafana()


# -------------------------------------------------------------------------------------- services


def _app_with_sidecar(host: Host, **environment: str) -> Service:
    export = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": _SIDECAR_URL,
        "OTEL_METRIC_EXPORT_INTERVAL": EXPORT_INTERVAL_MS,
    }
    return _app(host, **export, **environment)


def _app(host: Host, **environment: str) -> Service:
    ready = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{host.port}/readyz')"
    return {
        **_example(
            "uvicorn", f"{host.name}:app", f"--host={_ALL_ADDRESSES}", f"--port={host.port}"
        ),
        **({"environment": environment} if environment else {}),
        "ports": [_published(host)],
        "healthcheck": {"test": ["CMD", "python", "-c", ready], "interval": "10s"},
    }


def _customers() -> Service:
    return {
        **_python("stack/customers.py", f"--storefront={STOREFRONT.url}"),
        "depends_on": {STOREFRONT.name: {"condition": "service_healthy"}},
    }


def _python(script: str, *arguments: str) -> Service:
    return _example("python", f"/app/{script}", *arguments)


def _example(*command: str) -> Service:
    return {
        "image": EXAMPLES,
        "build": {"context": "..", "dockerfile": "stack/Dockerfile"},
        "command": [*command],
        "restart": "unless-stopped",
    }


# ------------------------------------------------------------------------------------ collectors


def _sidecar(service: str) -> Service:
    return {
        **_collector("sidecar", f"{service}-sidecar", env_variables.QUEUE_DIR),
        "environment": {
            env_variables.EXPOSE_HOST.name: _ALL_ADDRESSES,
            env_variables.GATEWAY_HOST.name: GATEWAY_NAME,
            env_variables.INSTANCE.name: service,
            "GOMEMLIMIT": f"{env_variables.MEMORY_MIB.default}MiB",
        },
        **comment("The sidecar shares the service's network: loopback address and ports."),
        "network_mode": f"service:{service}",
        "depends_on": {service: {"condition": "service_started", "restart": True}},
    }


def _gateway(name: str) -> Service:
    return {
        **_collector("gateway", name, env_variables.GATEWAY_QUEUE_DIR),
        "environment": {
            env_variables.EXPOSE_HOST.name: _ALL_ADDRESSES,
            env_variables.TRACE_STORE.name: str(JAEGER_OTLP),
            env_variables.INSTANCE.name: name,
            "GOMEMLIMIT": f"{env_variables.GATEWAY_MEMORY_MIB.default}MiB",
        },
        "networks": {"default": {"aliases": [GATEWAY_NAME]}},
    }


def _collector(role: str, name: str, queue_dir: env_variables.Variable) -> Service:
    config = f"{COLLECTOR_CONFIG_DIR}/{role}.yaml"
    return {
        "image": IMAGES["collector"],
        "command": [f"--config={config}"],
        "volumes": [
            f"../collector-config/{role}.yaml:{config}:ro",
            f"{name}-queue:{queue_dir.default}",
        ],
        **comment("A new volume belongs to root. Without capabilities, root may only write to it."),
        "user": "0:0",
        "cap_drop": ["ALL"],
        "read_only": True,
        "restart": "unless-stopped",
    }


# -------------------------------------------------------------------------------------- backends


def _jaeger() -> Service:
    return {
        "image": IMAGES["jaeger"],
        **comment("Traces are in memory, and lost after a restart."),
        "environment": {"JAEGER_LISTEN_HOST": _ALL_ADDRESSES},
        "ports": [_published(JAEGER)],
        "restart": "unless-stopped",
    }


def _prometheus() -> Service:
    config = "/etc/prometheus/prometheus.yml"
    return {
        "image": IMAGES["prometheus"],
        "command": [f"--config.file={config}", *ARGUMENTS],
        "volumes": [
            f"./prometheus.yml:{config}:ro",
            f"../rules:{RULES_DIR}:ro",
            "prometheus:/prometheus",
        ],
        "ports": [_published(PROMETHEUS)],
        "restart": "unless-stopped",
    }


def _alertmanager() -> Service:
    config = "/etc/alertmanager/alertmanager.yml"
    return {
        "image": IMAGES["alertmanager"],
        "command": [f"--config.file={config}", "--storage.path=/alertmanager"],
        "volumes": [f"./alertmanager.yml:{config}:ro", "alertmanager:/alertmanager"],
        "ports": [_published(ALERTMANAGER)],
        "restart": "unless-stopped",
    }


def _grafana() -> Service:
    return {
        "image": IMAGES["grafana"],
        "environment": {
            **comment("Every user of this machine may view and explore without a login."),
            "GF_AUTH_ANONYMOUS_ENABLED": "true",
            "GF_AUTH_ANONYMOUS_ORG_ROLE": "Editor",
            "GF_SECURITY_ADMIN_PASSWORD": "${GRAFANA_PASSWORD:-admin}",
            "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": f"{DASHBOARDS_DIR}/slo-tracking.json",
        },
        "volumes": [
            *(f"./{part}:/etc/{part}:ro" for part in _PROVISIONING_DIRS),
            f"../dashboards:{DASHBOARDS_DIR}:ro",
            "grafana:/var/lib/grafana",
        ],
        "ports": [_published(GRAFANA)],
        "restart": "unless-stopped",
    }


def _published(host: Host) -> str:
    return f"127.0.0.1:{host.port}:{host.port}"

"""The compose file: two services with sidecars, one that is scraped, and all that watches them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from otel_meta.render._yaml import note, to_yaml
from otel_meta.render.collector import env_variables as settings
from otel_meta.render.header import generated_from

from .hosts import (
    ALERTMANAGER,
    COLLECTOR_CONFIG,
    DASHBOARDS,
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
    RULES,
    STOREFRONT,
    WITH_SIDECAR,
    Place,
)
from .prometheus_config import ARGUMENTS

Service = dict[str, Any]

_PROVISIONED: Final = ("grafana/provisioning/datasources", "grafana/provisioning/dashboards")

_ALL: Final = "0.0.0.0"  # noqa: S104  # inside a container, whose ports are published on loopback
_OTLP: Final = f"http://{settings.LOOPBACK}:{settings.OTLP_HTTP_PORT.default}"
_COMMENT: Final = f"""\
{generated_from("otel_meta/render/stack/compose.py")}
docker compose -f stack/compose.yaml up --build
Ports are published on this machine's loopback alone."""


def compose_file() -> str:
    """The file."""
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
    yield STOREFRONT.host, _with_sidecar(STOREFRONT, PAYMENTS_URL=PAYMENTS.url)
    yield PAYMENTS.host, _with_sidecar(PAYMENTS)
    yield INFERENCE.host, _app(INFERENCE)
    yield "customers", _customers()
    for place in WITH_SIDECAR:
        yield f"{place.host}-sidecar", _sidecar(place.host)
    for host in GATEWAYS:
        yield host, _gateway(host)
    yield JAEGER.host, _jaeger()
    yield PROMETHEUS.host, _prometheus()
    yield ALERTMANAGER.host, _alertmanager()
    yield NOTIFICATIONS.host, _python("stack/notifications.py", f"--port={NOTIFICATIONS.port}")
    yield GRAFANA.host, _grafana()


# -------------------------------------------------------------------------------------- services


def _with_sidecar(place: Place, **more: str) -> Service:
    export = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": _OTLP,
        "OTEL_METRIC_EXPORT_INTERVAL": EXPORT_INTERVAL_MS,
    }
    return _app(place, **export, **more)


def _app(place: Place, **environment: str) -> Service:
    alive = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{place.port}/readyz')"
    return {
        **_built("uvicorn", f"{place.host}:app", f"--host={_ALL}", f"--port={place.port}"),
        **({"environment": environment} if environment else {}),
        "ports": [_published(place)],
        "healthcheck": {"test": ["CMD", "python", "-c", alive], "interval": "10s"},
    }


def _customers() -> Service:
    return {
        **_python("stack/customers.py", f"--storefront={STOREFRONT.url}"),
        "depends_on": {STOREFRONT.host: {"condition": "service_healthy"}},
    }


def _python(script: str, *arguments: str) -> Service:
    return _built("python", f"/app/{script}", *arguments)


def _built(*command: str) -> Service:
    return {
        "image": EXAMPLES,
        "build": {"context": "..", "dockerfile": "stack/Dockerfile"},
        "command": [*command],
        "restart": "unless-stopped",
    }


# ------------------------------------------------------------------------------------ collectors


def _sidecar(service: str) -> Service:
    return {
        **_collector("sidecar", f"{service}-sidecar", settings.QUEUE_DIR),
        "environment": {
            settings.EXPOSE_HOST.name: _ALL,
            settings.GATEWAY_HOST.name: GATEWAY_NAME,
            settings.INSTANCE.name: service,
            "GOMEMLIMIT": f"{settings.MEMORY_MIB.default}MiB",
        },
        **note("Loopback is then the service's, and the service's ports are the sidecar's."),
        "network_mode": f"service:{service}",
        "depends_on": {service: {"condition": "service_started", "restart": True}},
    }


def _gateway(host: str) -> Service:
    return {
        **_collector("gateway", host, settings.GATEWAY_QUEUE_DIR),
        "environment": {
            settings.EXPOSE_HOST.name: _ALL,
            settings.TRACE_STORE.name: str(JAEGER_OTLP),
            settings.INSTANCE.name: host,
            "GOMEMLIMIT": f"{settings.GATEWAY_MEMORY_MIB.default}MiB",
        },
        "networks": {"default": {"aliases": [GATEWAY_NAME]}},
    }


def _collector(role: str, name: str, queue: settings.Variable) -> Service:
    config = f"{COLLECTOR_CONFIG}/{role}.yaml"
    return {
        "image": IMAGES["collector"],
        "command": [f"--config={config}"],
        "volumes": [
            f"../collector-config/{role}.yaml:{config}:ro",
            f"{name}-queue:{queue.default}",
        ],
        **note("A new volume belongs to root; without capabilities, root has that right alone."),
        "user": "0:0",
        "cap_drop": ["ALL"],
        "read_only": True,
        "restart": "unless-stopped",
    }


# ------------------------------------------------------------------------------------ what watches


def _jaeger() -> Service:
    return {
        "image": IMAGES["jaeger"],
        **note("Keeps traces in memory: they are gone after a restart."),
        "environment": {"JAEGER_LISTEN_HOST": _ALL},
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
            f"../rules:{RULES}:ro",
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
            **note("Whoever reaches this machine's loopback may look around and explore."),
            "GF_AUTH_ANONYMOUS_ENABLED": "true",
            "GF_AUTH_ANONYMOUS_ORG_ROLE": "Editor",
            "GF_SECURITY_ADMIN_PASSWORD": "${GRAFANA_PASSWORD:-admin}",
            "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": f"{DASHBOARDS}/slo-tracking.json",
        },
        "volumes": [
            *(f"./{part}:/etc/{part}:ro" for part in _PROVISIONED),
            f"../dashboards:{DASHBOARDS}:ro",
            "grafana:/var/lib/grafana",
        ],
        "ports": [_published(GRAFANA)],
        "restart": "unless-stopped",
    }


def _published(place: Place) -> str:
    return f"127.0.0.1:{place.port}:{place.port}"

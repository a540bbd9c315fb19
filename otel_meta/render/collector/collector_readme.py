"""The README of collector-config/: the purpose of each file, and its environment variables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from otel_meta.render.docs.markdown import code, page, table

from .env_variables import GATEWAY_VARIABLES, SIDECAR_VARIABLES, Variable

_NO_LOGS: Final = """\
exporters:
  nop: {}
service:
  pipelines:
    logs:
      exporters: [nop]"""
_SOURCE: Final = "otel_meta/render/collector/collector_readme.py"


def readme_file() -> str:
    """Return the text of the README."""
    return page(
        "Collector configuration",
        _SOURCE,
        "`sidecar.yaml` runs beside each service, and `gateway.yaml` runs between the sidecars and "
        "Jaeger. Add `span-metrics.yaml` to the sidecar of a service without metrics. The files "
        "need a Collector of version 0.159 or later, such as "
        "`otel/opentelemetry-collector-contrib`.",
        "Environment variables set ports, addresses and limits. To change anything else, write a "
        "second file, which the Collector merges over the first: `otelcol --config sidecar.yaml "
        "--config yours.yaml`. Maps are merged, a list replaces a list, and `null` removes a key.",
        "## Sidecar",
        _table(SIDECAR_VARIABLES),
        "Without a gateway, set `OTEL_META_GATEWAY_HOST` and `OTEL_META_GATEWAY_PORT` to the "
        "address of Jaeger's OTLP port. Jaeger then stores every trace, but it refuses logs. Send "
        "the logs to another exporter in your own file, or drop them:",
        code(_NO_LOGS, "yaml"),
        "## Gateway",
        _table(GATEWAY_VARIABLES),
    )


def _table(variables: Iterable[Variable]) -> str:
    rows = ([f"`{v.name}`", f"`{v.default}`" if v.default else "", v.meaning] for v in variables)
    return table(["variable", "default", "meaning"], rows)

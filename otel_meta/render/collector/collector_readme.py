"""The page about the files: what each is for, and what may be set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from otel_meta.render.docs.markdown import code, page, table

from .env_variables import GATEWAY, SIDECAR, Variable

_NO_LOGS: Final = """\
exporters:
  nop: {}
service:
  pipelines:
    logs:
      exporters: [nop]"""
_SOURCE: Final = "otel_meta/render/collector/collector_readme.py"


def variables_page() -> str:
    """The file."""
    return page(
        "Collector configuration",
        _SOURCE,
        "`sidecar.yaml` runs beside each service, `gateway.yaml` between sidecars and Jaeger, and "
        "`span-metrics.yaml` is added to the sidecar of a service that records no metrics. They "
        "need a Collector from 0.159 on, such as `otel/opentelemetry-collector-contrib`.",
        "Ports, addresses and limits are environment variables. Everything else is changed in a "
        "file of your own, merged over these: `otelcol --config sidecar.yaml --config yours.yaml`. "
        "Lists in it replace lists, maps are merged, and `null` removes.",
        "## Sidecar",
        _table(SIDECAR),
        "Without a gateway, let `OTEL_META_GATEWAY_HOST` and `OTEL_META_GATEWAY_PORT` name "
        "Jaeger's OTLP port. Every trace is kept then; of logs, which Jaeger refuses, your own "
        "file should say where they go, or that they go nowhere:",
        code(_NO_LOGS, "yaml"),
        "## Gateway",
        _table(GATEWAY),
    )


def _table(variables: Iterable[Variable]) -> str:
    rows = ([f"`{v.name}`", f"`{v.default}`" if v.default else "", v.meaning] for v in variables)
    return table(["variable", "default", "meaning"], rows)

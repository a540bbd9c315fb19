"""Services, and changes of the configuration, for tests of a real Collector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from otel_meta.testing.otlp_receiver import OtlpReceiver
from tests.rules.pinned_tools import ROOT

Eventually = Callable[[Callable[[], Any]], None]

CONFIG = ROOT / "collector-config"
NEBULA = {"service.namespace": "nebula-cloud-platform", "service.name": "provisioner"}
SENTINEL = {"service.namespace": "sentinel-ai-engine", "service.name": "inference"}
AURORA = {"service.namespace": "aurora-fullstack-saas", "service.name": "storefront"}
FOREIGN = {"service.namespace": "elsewhere", "service.name": "legacy"}


def send_to(sink: OtlpReceiver) -> dict[str, Any]:
    """Return a second configuration file, which sends traces and logs to a receiver."""
    pipeline = {"exporters": ["otlp_http/test"]}
    return {
        "exporters": {"otlp_http/test": {"endpoint": sink.endpoint}},
        "service": {"pipelines": {"traces": pipeline, "logs": pipeline}},
    }

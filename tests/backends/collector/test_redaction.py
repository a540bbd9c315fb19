"""What does not get past the sidecar or the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan

from otel_meta.testing.otlp_sink import OtlpSink
from tests.backends.collector.support import (
    AURORA,
    Eventually,
    to,
)
from tests.backends.collector_server import Collector
from tests.backends.otlp_clients import log_exporter, send, send_grpc, span


def values(attributes: Any) -> dict[str, str]:
    """Attributes as they arrived, as text."""
    return {a.key: a.value.string_value or str(a.value) for a in attributes}


SECRETS = {
    "http.request.header.authorization": "Bearer abcdefghijklmnop",
    "http.request.header.x-api-key": "k-123",
    "user.email": "ann",
    "url.query": "token=1",
    "customer": "ann@example.org ordered",
    "db.connection_string": "postgres://ann:word@db/shop",
    "jwt": "eyJhbGciOi.eyJzdWIi.c2ln",
    "card": "paid with 4111 1111 1111 1111",
}
HARMLESS = {
    "http.route": "/orders/{order_id}",
    "sku": "lamp-4000",
    "gen_ai.usage.input_tokens": "12",
    "url.path": "/token",
}


class TestRedaction:
    @pytest.mark.parametrize("file", ["sidecar.yaml", "gateway.yaml"])
    def test_spans(self, file: str, tmp_path: Path, sink: OtlpSink, eventually: Eventually) -> None:
        """Secrets and personal data do not get past either Collector; the rest does."""
        with Collector(file, tmp_path / "c", to(sink), DECISION_WAIT="1s") as collector:
            collector.wait_until_ready()
            self.send(collector, self.telling())
            eventually(sink.spans)
        received = sink.spans()[0].span
        attributes = values(received.attributes)

        assert dict.fromkeys(SECRETS, True) == {k: "****" in attributes[k] for k in SECRETS}
        assert HARMLESS == {key: attributes[key] for key in HARMLESS}
        assert "https://shop/search?****" == attributes["url.full"]
        assert "no account **** here" == received.status.message
        assert "unknown ****" == values(received.events[0].attributes)["exception.message"]
        assert "ann" not in str(received).replace("annotation", "")

    def send(self, collector: Collector, telling: ReadableSpan) -> None:
        """By the way that it listens on."""
        if "GATEWAY" in collector.ports:
            send_grpc(f"127.0.0.1:{collector.ports['GATEWAY']}", telling)
        else:
            send(collector.otlp, telling)

    def telling(self) -> ReadableSpan:
        """A span that says too much; an error, so that it is kept."""
        return span(
            "GET /search",
            AURORA,
            error="no account ann@example.org here",
            event={"exception.message": "unknown ann@example.org"},
            **SECRETS,
            **HARMLESS,
            url__full="https://shop/search?q=ann",
        )

    def test_logs(self, tmp_path: Path, sink: OtlpSink, eventually: Eventually) -> None:
        """Neither do those in log records."""
        with Collector("sidecar.yaml", tmp_path / "sidecar", to(sink)) as sidecar:
            sidecar.wait_until_ready()
            provider = LoggerProvider(Resource(AURORA))
            exporter = log_exporter(sidecar.otlp)
            provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
            logger = provider.get_logger("test")
            logger.emit(body="mail to ann@example.org", attributes={"password": "word", "sku": "s"})
            eventually(sink.log_records)
            provider.shutdown()
        (record,) = sink.log_records()

        assert "mail to ****" == record.body.string_value
        assert {"password": "****", "sku": "s"} == values(record.attributes)

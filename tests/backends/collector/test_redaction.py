"""Checks the redaction of spans and log records by a real sidecar and gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan

from otel_meta.testing.otlp_receiver import OtlpReceiver
from tests.backends.collector.collector_setup import (
    AURORA,
    Eventually,
    send_to,
)
from tests.backends.collector_server import Collector
from tests.backends.otlp_clients import log_exporter, send, send_grpc, span


def values(attributes: Any) -> dict[str, str]:
    """Return the received attributes as text."""
    return {a.key: a.value.string_value or str(a.value) for a in attributes}


SECRETS: dict[str, Any] = {
    "http.request.header.authorization": "Bearer abcdefghijklmnop",
    "http.request.header.x-api-key": "k-123",
    "user.email": "ann",
    "url.query": "token=1",
    "customer": "ann@example.org ordered",
    "db.connection_string": "postgres://ann:word@db/shop",
    "jwt": "eyJhbGciOi.eyJzdWIi.c2ln",
    "card": "paid with 4111 1111 1111 1111",
}
HARMLESS: dict[str, Any] = {
    "http.route": "/orders/{order_id}",
    "sku": "lamp-4000",
    "gen_ai.usage.input_tokens": "12",
    "url.path": "/token",
}


class TestRedaction:
    @pytest.mark.parametrize("file", ["sidecar.yaml", "gateway.yaml"])
    def test_both_collectors_mask_secrets_and_personal_data_of_spans(
        self, file: str, tmp_path: Path, sink: OtlpReceiver, eventually: Eventually
    ) -> None:
        """Both Collectors mask secrets and personal data of spans, and keep other attributes."""
        with Collector(file, tmp_path / "c", send_to(sink), DECISION_WAIT="1s") as collector:
            collector.wait_until_ready()
            self.send(collector, self.span_with_secrets())
            eventually(sink.spans)
        received = sink.spans()[0].span
        attributes = values(received.attributes)

        assert dict.fromkeys(SECRETS, True) == {k: "****" in attributes[k] for k in SECRETS}
        assert HARMLESS == {key: attributes[key] for key in HARMLESS}
        assert "https://shop/search?****" == attributes["url.full"]
        assert "no account **** here" == received.status.message
        assert "unknown ****" == values(received.events[0].attributes)["exception.message"]
        assert "ann" not in str(received).replace("annotation", "")

    def send(self, collector: Collector, secret: ReadableSpan) -> None:
        """Send a span over OTLP/gRPC to a gateway, or over OTLP/HTTP to a sidecar."""
        if "GATEWAY" in collector.ports:
            send_grpc(f"127.0.0.1:{collector.ports['GATEWAY']}", secret)
        else:
            send(collector.otlp, secret)

    def span_with_secrets(self) -> ReadableSpan:
        """Return a span with secrets, and with an error, so that the gateway keeps it."""
        return span(
            "GET /search",
            AURORA,
            error="no account ann@example.org here",
            event={"exception.message": "unknown ann@example.org"},
            **SECRETS,
            **HARMLESS,
            url__full="https://shop/search?q=ann",
        )

    def test_sidecar_masks_secrets_and_personal_data_of_log_records(
        self, tmp_path: Path, sink: OtlpReceiver, eventually: Eventually
    ) -> None:
        """The sidecar masks secrets and personal data of log records."""
        with Collector("sidecar.yaml", tmp_path / "sidecar", send_to(sink)) as sidecar:
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

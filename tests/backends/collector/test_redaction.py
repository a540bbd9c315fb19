"""Checks the redaction of spans, log records and metrics by a real sidecar and gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request

import grpc
import pytest
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from otel_meta.secret_patterns import MASK
from otel_meta.testing.loopback import open_url
from otel_meta.testing.otlp_receiver import OtlpReceiver
from tests.backends.collector.collector_setup import AURORA, CONFIG, Eventually, send_to
from tests.backends.collector.secret_texts import (
    HARMLESS,
    SECRETS,
    log_request,
    metric_request,
    texts,
    trace_request,
)
from tests.backends.collector_server import Collector
from tests.backends.otlp_clients import send, send_grpc, span
from tests.rules.prometheus_server import fetch
from tests.waiting import wait_until
from tests.yaml_files import read_yaml


class Signal(NamedTuple):
    """The classes of one signal, and the name of the groups by resource in a request."""

    request: Callable[[str], Any]
    message: type[Any]
    stub: Any
    groups: str


SIGNALS = {
    "traces": Signal(trace_request, ExportTraceServiceRequest, TraceServiceStub, "resource_spans"),
    "logs": Signal(log_request, ExportLogsServiceRequest, LogsServiceStub, "resource_logs"),
}
CASES = {**{kind: text for kind, (text, _) in SECRETS.items()}, **{text: text for text in HARMLESS}}
CASE = "case"
"""The attribute of a resource with the name of the case."""
Texts = set[tuple[str, str]]
"""Path and value of each text."""
Received = Mapping[tuple[str, str], Texts]
"""Texts by signal and case."""
CONTAINERS = ("array_value", "kvlist_value")
"""Parts of the path of a text in a list or map, which becomes a text if it is masked."""


def post(collector: Collector, signal: str, request: Message) -> None:
    """Send a request over OTLP/HTTP to a sidecar."""
    headers = {"Content-Type": "application/x-protobuf"}
    url = f"{collector.otlp}/v1/{signal}"
    open_url(Request(url, request.SerializeToString(), headers), timeout=10).close()


def deliver(collector: Collector, signal: str, request: Message) -> None:
    """Send a request over OTLP/gRPC to a gateway, or over OTLP/HTTP to a sidecar."""
    if "GATEWAY" not in collector.ports:
        post(collector, signal, request)
        return
    with grpc.insecure_channel(f"127.0.0.1:{collector.ports['GATEWAY']}") as channel:
        SIGNALS[signal].stub(channel).Export(request)


def request_of(signal: str, case: str) -> Any:
    """Return a request with the text of a case in every field, and the name of the case."""
    request = SIGNALS[signal].request(CASES[case])
    (group,) = getattr(request, SIGNALS[signal].groups)
    group.resource.attributes.add(key=CASE).value.string_value = case
    return request


def arrived(sink: OtlpReceiver) -> Received:
    """Return the texts of all received cases."""
    return {
        (name, case_of(group)): {*texts(group)}
        for name, signal in SIGNALS.items()
        for request in sink.requests_of(signal.message)
        for group in getattr(request, signal.groups)
    }


def case_of(group: Any) -> str:
    """Return the name of the case of a resource."""
    return next(str(a.value.string_value) for a in group.resource.attributes if a.key == CASE)


@pytest.fixture(scope="module", params=["sidecar.yaml", "gateway.yaml"])
def received(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Received:
    """Send all cases through a sidecar or a gateway; the texts that arrive."""
    folder = tmp_path_factory.mktemp("redaction") / "collector"
    with (
        OtlpReceiver() as sink,
        Collector(request.param, folder, send_to(sink), DECISION_WAIT="1s") as collector,
    ):
        collector.wait_until_ready()
        for signal in SIGNALS:
            for case in CASES:
                deliver(collector, signal, request_of(signal, case))
        wait_until(lambda: len(arrived(sink)) == len(SIGNALS) * len(CASES), "a case is lost")
        return arrived(sink)


def sent_texts(signal: str, case: str) -> Texts:
    """Return the texts of a case, without the schemas, which a gateway's sampling leaves out."""
    (group,) = getattr(request_of(signal, case), SIGNALS[signal].groups)
    return {(path, text) for path, text in texts(group) if "schema_url" not in path}


@pytest.mark.parametrize("signal", SIGNALS)
class TestEveryText:
    @pytest.mark.parametrize("case", SECRETS)
    def test_no_text_has_secret(self, case: str, signal: str, received: Received) -> None:
        """No text of any field has the secret; each field is masked, and no field is lost."""
        _, secret = SECRETS[case]
        found = received[signal, case]
        with_secret = {path for path, text in sent_texts(signal, case) if secret in text}
        scalars = {path for path in with_secret if not any(part in path for part in CONTAINERS)}

        assert [] == [path for path, text in found if secret in text]
        assert set() == scalars - {path for path, text in found if MASK in text}

    @pytest.mark.parametrize("case", HARMLESS)
    def test_usual_text_is_kept(self, case: str, signal: str, received: Received) -> None:
        """A text of usual telemetry is kept in every field."""
        assert set() == sent_texts(signal, case) - received[signal, case]


KEYS: dict[str, Any] = {
    "http.request.header.authorization": "Bearer",
    "http.request.header.x-api-key": "k-123",
    "user.email": "ann",
    "url.query": "ann",
    "password": 12345,
}
"""Attributes whose names tell that the whole value is secret."""
URLS: dict[str, Any] = {
    "url.full": "https://shop/search?ann",
    "http.url": "https://shop/search#ann",
    "http.target": "/search?ann",
}
KEPT: dict[str, Any] = {
    "http.route": "/orders/{order_id}",
    "http.response.status_code": 500,
    "gen_ai.usage.input_tokens": 12,
    "url.path": "/token",
}


def values(attributes: Any) -> dict[str, Any]:
    """Return the received attributes."""
    return {a.key: a.value.string_value or a.value.int_value for a in attributes}


class TestAttributes:
    @pytest.mark.parametrize("file", ["sidecar.yaml", "gateway.yaml"])
    def test_values_of_secret_names_and_queries_of_urls_are_masked(
        self, file: str, tmp_path: Path, sink: OtlpReceiver, eventually: Eventually
    ) -> None:
        """Values with a secret's name are masked as a whole, and URLs lose query and fragment."""
        with Collector(file, tmp_path / "c", send_to(sink), DECISION_WAIT="1s") as collector:
            collector.wait_until_ready()
            sent = span("GET /search", AURORA, error="", event=URLS, **KEYS, **URLS, **KEPT)
            if "GATEWAY" in collector.ports:
                send_grpc(f"127.0.0.1:{collector.ports['GATEWAY']}", sent)
            else:
                send(collector.otlp, sent)
            eventually(sink.spans)
        received = sink.spans()[0].span
        cut = {key: f"{value.removesuffix('ann')[:-1]}?{MASK}" for key, value in URLS.items()}
        expected = {**dict.fromkeys(KEYS, MASK), **cut, **KEPT}

        assert expected == {key: values(received.attributes)[key] for key in expected}
        assert cut == values(received.events[0].attributes)

    def test_links_are_not_masked(self, tmp_path: Path, sink: OtlpReceiver) -> None:
        """Attributes of links are not masked, as documented: no processor can change them."""
        request = trace_request("x")
        link = request.resource_spans[0].scope_spans[0].spans[0].links.add()
        link.attributes.add(key="note").value.string_value = "ann@example.org"
        with Collector("sidecar.yaml", tmp_path / "sidecar", send_to(sink)) as sidecar:
            sidecar.wait_until_ready()
            post(sidecar, "traces", request)
            wait_until(sink.spans)

        assert "ann@example.org" in str(sink.spans()[0].span.links)


class TestMetrics:
    def page(self, sidecar: Collector) -> str:
        """Return the metrics of the service, in the format with exemplars."""
        url = f"http://127.0.0.1:{sidecar.ports['METRICS']}/metrics"
        request = Request(url, headers={"Accept": "application/openmetrics-text;version=1.0.0"})
        with open_url(request, timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def test_no_secret_of_resource_or_exemplar_is_on_page(self, tmp_path: Path) -> None:
        """No secret of a metric's resource, scope or exemplar is on the page for Prometheus."""
        with Collector("sidecar.yaml", tmp_path / "sidecar") as sidecar:
            sidecar.wait_until_ready()
            for place, (text, _) in enumerate(SECRETS.values()):
                request = metric_request(text)
                resource = request.resource_metrics[0].resource
                resource.attributes.add(key="service.instance.id").value.string_value = f"{place}"
                post(sidecar, "metrics", request)
            wait_until(lambda: self.page(sidecar).count("wait_seconds_count") == len(SECRETS))
            page = self.page(sidecar)

        assert [] == [secret for _, secret in SECRETS.values() if secret in page]
        assert len(SECRETS) == page.count(f"{MASK}")
        assert "trace_id=" in page

    def test_labels_are_not_masked(self, tmp_path: Path) -> None:
        """Labels of series are not masked, as documented: combined counters would be wrong."""
        with Collector("sidecar.yaml", tmp_path / "sidecar") as sidecar:
            sidecar.wait_until_ready()
            post(sidecar, "metrics", metric_request("x", label="ann@example.org"))
            wait_until(lambda: "wait_seconds_count" in self.page(sidecar))
            page = self.page(sidecar)

        assert 'outcome="ann@example.org"' in page

    def test_span_metrics_have_no_secret(self, tmp_path: Path) -> None:
        """Span metrics have no secret of span names in their labels."""
        change = read_yaml((CONFIG / "span-metrics.yaml").read_text())
        change["connectors"]["span_metrics"]["metrics_flush_interval"] = "100ms"
        with Collector("sidecar.yaml", tmp_path / "sidecar", change) as sidecar:
            sidecar.wait_until_ready()
            for text, _ in SECRETS.values():
                post(sidecar, "traces", trace_request(text))
            metrics = f"http://127.0.0.1:{sidecar.ports['METRICS']}/metrics"
            wait_until(lambda: b"span_metrics_duration_seconds_count" in fetch(metrics), timeout=20)
            page = fetch(metrics).decode()

        assert [] == [secret for _, secret in SECRETS.values() if secret in page]

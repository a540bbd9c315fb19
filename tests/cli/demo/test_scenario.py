from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from threading import Timer
from typing import Any
from urllib.request import Request, urlopen

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from otel_meta.cli.demo.scenario import Scenario
from otel_meta.cli.demo.stop_signal import StopSignal
from otel_meta.testing import OtlpReceiver
from tests.cli.slo.status_rows import status_row

ERROR = Status.STATUS_CODE_ERROR
UNSET = Status.STATUS_CODE_UNSET


class FakeService:
    """A service with fixed responses."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self.logged: list[str] = []
        self.changes: list[tuple[str, Mapping[str, Any]]] = []

    def get(self, path: str) -> dict[str, Any]:
        """Return a /slo page."""
        return {"service_name": self.name, "slos": [status_row(self.name)]}

    def put(self, path: str, content: Mapping[str, Any]) -> None:
        """Keep a change."""
        self.changes.append((path, content))

    def lines(self) -> list[str]:
        """Return the log lines."""
        return self.logged

    def log(self, event: str, trace: int) -> str:
        """Add a log line of a trace, and return it."""
        line = {"event": event, "trace_id": trace_id(trace).hex()}
        self.logged.append(json.dumps(line, separators=(",", ":")))
        return self.logged[-1]


class ScenarioHarness:
    """A scenario, its services and the receiver of their spans."""

    def __init__(self, receiver: OtlpReceiver) -> None:
        self.payments = FakeService("payments", "http://127.0.0.1:8")
        self.storefront = FakeService("storefront", "http://127.0.0.1:9")
        self.scenario = Scenario(self.storefront, self.payments, receiver)
        self.receiver = receiver

    def receive(self, trace: int, *names: str, failed: bool = False, start: int = 0) -> None:
        """Send spans of a trace, each the child of the last: "payments: POST"."""
        for number, name in enumerate(names, 1):
            if name:
                service, _, span_name = name.partition(": ")
                self._send(
                    service,
                    Span(
                        name=span_name,
                        trace_id=trace_id(trace),
                        span_id=number.to_bytes(8),
                        parent_span_id=(number - 1).to_bytes(8) if number > 1 else b"",
                        start_time_unix_nano=(start + number) * 10**6,
                        end_time_unix_nano=(start + number + 1) * 10**6,
                        status=Status(code=ERROR if failed else UNSET),
                    ),
                )

    def _send(self, service: str, span: Span) -> None:
        named = KeyValue(key="service.name", value=AnyValue(string_value=service))
        request = ExportTraceServiceRequest(
            resource_spans=[
                ResourceSpans(
                    resource=Resource(attributes=[named]), scope_spans=[ScopeSpans(spans=[span])]
                )
            ]
        )
        urlopen(Request(f"{self.receiver.endpoint}/v1/traces", request.SerializeToString())).close()


def trace_id(number: int) -> bytes:
    """Return a trace id."""
    return number.to_bytes(16)


def parse_summary(summary: str) -> tuple[int, list[str], list[str]]:
    """Parse a summary: number of the trace, tree, log lines."""
    found = re.fullmatch(
        r"Trace ([0-9a-f]{32}), two processes:\n(.*)\n\nLog lines with this trace id:\n(.*)",
        summary,
        re.DOTALL,
    )
    assert found, summary
    return int(found[1], 16), found[2].splitlines(), found[3].splitlines()


@pytest.fixture
def harness() -> Iterator[ScenarioHarness]:
    """A scenario before its start."""
    with OtlpReceiver() as receiver:
        yield ScenarioHarness(receiver)


BOTH = ("storefront: POST /orders", "storefront: POST", "payments: POST /payments")


class TestRun:
    def test_scenario_has_three_phases_each_with_table(
        self, harness: ScenarioHarness, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The scenario has three phases, each with a table: no fault, fault, recovery."""
        harness.scenario.run(1, StopSignal())
        printed = capsys.readouterr().out
        rows = re.findall(r" (\w+) +titan-service-availability", printed)

        assert [
            "traffic starts, without a fault",
            "fault: 70 % of calls to the card network fail",
            "the fault has ended; the spent error budget stays spent",
        ] == re.findall(r"\d s  (.*)", printed)
        assert ["storefront", "payments"] * 3 == rows
        assert [
            "http://127.0.0.1:9/metrics",
            "http://127.0.0.1:9/slo",
            "http://127.0.0.1:8/metrics",
            "http://127.0.0.1:8/slo",
        ] == re.findall("http://.*", printed)
        assert "\x1b" not in printed
        assert [
            ("/faults", {"error_ratio": 0.7}),
            ("/faults", {"error_ratio": 0.0}),
        ] == harness.payments.changes

    def test_stop_signal_ends_scenario(
        self, harness: ScenarioHarness, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The stop signal ends the scenario."""
        began = time.monotonic()
        with StopSignal() as stop:
            Timer(0.3, os.kill, [os.getpid(), signal.SIGTERM]).start()
            harness.scenario.run(10, stop)

        assert 0.3 <= time.monotonic() - began < 2
        assert 2 == capsys.readouterr().out.count("titan-service-availability")

    def test_scenario_runs_without_standard_output(
        self, harness: ScenarioHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The scenario runs without a standard output."""
        monkeypatch.setattr(sys, "stdout", None)
        Scenario(harness.storefront, harness.payments, harness.receiver).run(0.1, StopSignal())

        assert 2 == len(harness.payments.changes)


class TestSummary:
    def test_summary_has_trace_over_both_services_and_log_lines(
        self, harness: ScenarioHarness
    ) -> None:
        """The summary has a trace over both services and the log lines with its id."""
        harness.receive(5, *BOTH)
        lines = [harness.storefront.log("order placed", 5), harness.payments.log("settled", 5)]
        harness.storefront.log("order placed", 6)
        harness.payments.log("request", 5)

        assert (
            5,
            [
                "  storefront: POST /orders  1.0 ms",
                "    storefront: POST  1.0 ms",
                "      payments: POST /payments  1.0 ms",
            ],
            [f"  {line}" for line in lines],
        ) == parse_summary(harness.scenario.summary())

    @pytest.mark.parametrize(
        "traces", [[], [("storefront: GET /orders",)], [("storefront: GET",), ("payments: GET",)]]
    )
    def test_without_trace_over_both_services_summary_says_so(
        self, harness: ScenarioHarness, traces: Sequence[Sequence[str]]
    ) -> None:
        """Without a trace over both services, the summary says so."""
        for number, names in zip(count(1), traces, strict=False):
            harness.receive(number, *names)

        assert (
            "No trace crossed both services: the demo was too short." == harness.scenario.summary()
        )

    def test_trace_without_errors_is_preferred_to_later_one_with_errors(
        self, harness: ScenarioHarness
    ) -> None:
        """A trace without errors is preferred to a later one with errors."""
        harness.receive(1, *BOTH)
        harness.receive(2, *BOTH, failed=True, start=100)

        assert 1 == parse_summary(harness.scenario.summary())[0]

    def test_latest_trace_is_preferred(self, harness: ScenarioHarness) -> None:
        """The latest trace is preferred."""
        for number in (1, 3, 2):
            harness.receive(number, *BOTH, start=100 * number)

        assert 3 == parse_summary(harness.scenario.summary())[0]

    def test_trace_with_errors_is_better_than_no_trace(self, harness: ScenarioHarness) -> None:
        """A trace with errors is better than no trace."""
        harness.receive(2, *BOTH, failed=True)

        assert 2 == parse_summary(harness.scenario.summary())[0]

    def test_complete_trace_is_preferred_to_later_one_without_its_root(
        self, harness: ScenarioHarness
    ) -> None:
        """A complete trace is preferred to a later one without its root."""
        harness.receive(1, *BOTH)
        harness.receive(2, "", *BOTH[1:], start=100)

        assert 1 == parse_summary(harness.scenario.summary())[0]

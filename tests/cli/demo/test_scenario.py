from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
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

SLO = {
    "name": "titan-service-availability",
    "objective": "99.9%",
    "state": "ok",
    "unit": "events",
    "total": 12,
    "bad": 0,
    "budget_left": 1.0,
    "burn_rates": {"5m": 0.0, "1h": 0.0},
}


class Actor:
    """A service as the play sees it."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self.logged: list[str] = []
        self.changes: list[tuple[str, dict[str, Any]]] = []

    def get(self, _: str) -> dict[str, Any]:
        """Its /slo page."""
        return {"service_name": self.name, "slos": [SLO]}

    def put(self, path: str, content: dict[str, Any]) -> None:
        """Have it changed."""
        self.changes.append((path, content))

    def lines(self) -> list[str]:
        """What it has logged."""
        return self.logged

    def log(self, event: str, trace: int) -> str:
        """Log an event of a trace; the line."""
        line = {"event": event, "trace_id": trace_id(trace).hex()}
        self.logged.append(json.dumps(line, separators=(",", ":")))
        return self.logged[-1]


class Theatre:
    """A play and those who are in it."""

    def __init__(self, sink: OtlpReceiver) -> None:
        self.payments = Actor("payments", "http://127.0.0.1:8")
        self.storefront = Actor("storefront", "http://127.0.0.1:9")
        self.scenario = Scenario(self.storefront, self.payments, sink)
        self.sink = sink

    def receive(self, trace: int, *names: str, failed: bool = False, began: int = 0) -> None:
        """Have spans of a trace arrive, each caused by the one before: "payments: POST"."""
        for number, name in enumerate(names, 1):
            if name:
                service, _, what = name.partition(": ")
                self._send(
                    service,
                    Span(
                        name=what,
                        trace_id=trace_id(trace),
                        span_id=number.to_bytes(8),
                        parent_span_id=(number - 1).to_bytes(8) if number > 1 else b"",
                        start_time_unix_nano=(began + number) * 10**6,
                        end_time_unix_nano=(began + number + 1) * 10**6,
                        status=Status(code="STATUS_CODE_ERROR" if failed else "STATUS_CODE_UNSET"),
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
        urlopen(Request(f"{self.sink.endpoint}/v1/traces", request.SerializeToString())).close()


def trace_id(number: int) -> bytes:
    """An id of a trace."""
    return number.to_bytes(16)


def shown(summary: str) -> tuple[int, list[str], list[str]]:
    """The trace that an summary shows, its tree and its log lines."""
    found = re.fullmatch(
        r"Trace ([0-9a-f]{32}), two processes:\n(.*)\n\nLog lines with its id:\n(.*)",
        summary,
        re.DOTALL,
    )
    assert found, summary
    return int(found[1], 16), found[2].splitlines(), found[3].splitlines()


@pytest.fixture
def theatre() -> Iterator[Theatre]:
    """A play before it begins."""
    with OtlpReceiver() as sink:
        yield Theatre(sink)


BOTH = ("storefront: POST /orders", "storefront: POST", "payments: POST /payments")


class TestRun:
    def test_run(self, theatre: Theatre, capsys: pytest.CaptureFixture[str]) -> None:
        """Three acts: all is well, the card network breaks, it is mended; each has a board."""
        theatre.scenario.run(1, StopSignal())
        printed = capsys.readouterr().out
        rows = re.findall(r"^(\w+) +titan-service-availability", printed, re.MULTILINE)

        assert [
            "traffic starts, without a fault",
            "fault: 70 % of calls to the card network fail",
            "the fault is over; the error budget that it used stays used",
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
        ] == theatre.payments.changes

    def test_stop(self, theatre: Theatre, capsys: pytest.CaptureFixture[str]) -> None:
        """It ends as soon as it is time to end."""
        began = time.monotonic()
        with StopSignal() as stop:
            Timer(0.3, os.kill, [os.getpid(), signal.SIGTERM]).start()
            theatre.scenario.run(10, stop)

        assert 0.3 <= time.monotonic() - began < 2
        assert 2 == capsys.readouterr().out.count("titan-service-availability")

    def test_nowhere(self, theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
        """It plays without a standard output, too."""
        monkeypatch.setattr(sys, "stdout", None)
        Scenario(theatre.storefront, theatre.payments, theatre.sink).run(0.1, StopSignal())

        assert 2 == len(theatre.payments.changes)


class TestEpilogue:
    def test_trace(self, theatre: Theatre) -> None:
        """A trace over both services is a tree, with the log lines of both that bear its id."""
        theatre.receive(5, *BOTH)
        lines = [theatre.storefront.log("order placed", 5), theatre.payments.log("settled", 5)]
        theatre.storefront.log("order placed", 6)
        theatre.payments.log("request", 5)

        assert (
            5,
            [
                "  storefront: POST /orders  1.0 ms",
                "    storefront: POST  1.0 ms",
                "      payments: POST /payments  1.0 ms",
            ],
            [f"  {line}" for line in lines],
        ) == shown(theatre.scenario.summary())

    @pytest.mark.parametrize(
        "traces", [[], [("storefront: GET /orders",)], [("storefront: GET",), ("payments: GET",)]]
    )
    def test_too_short(self, theatre: Theatre, traces: Sequence[Sequence[str]]) -> None:
        """Without a trace over both, that is said."""
        for number, names in zip(count(1), traces, strict=False):
            theatre.receive(number, *names)

        assert (
            "No trace crossed both services: the demo was too short." == theatre.scenario.summary()
        )

    def test_went_well(self, theatre: Theatre) -> None:
        """A trace that went well tells more than a later one that failed."""
        theatre.receive(1, *BOTH)
        theatre.receive(2, *BOTH, failed=True, began=100)

        assert 1 == shown(theatre.scenario.summary())[0]

    def test_latest(self, theatre: Theatre) -> None:
        """Of several, the latest is shown: its log lines are still kept."""
        for number in (1, 3, 2):
            theatre.receive(number, *BOTH, began=100 * number)

        assert 3 == shown(theatre.scenario.summary())[0]

    def test_failed(self, theatre: Theatre) -> None:
        """One that failed is better than none."""
        theatre.receive(2, *BOTH, failed=True)

        assert 2 == shown(theatre.scenario.summary())[0]

    def test_whole(self, theatre: Theatre) -> None:
        """A trace that has arrived as a whole tells more than a later one without its root."""
        theatre.receive(1, *BOTH)
        theatre.receive(2, "", *BOTH[1:], began=100)

        assert 1 == shown(theatre.scenario.summary())[0]

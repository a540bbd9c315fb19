"""The demo's timeline and output: normal traffic, a fault in the card network, recovery."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from opentelemetry.proto.trace.v1.trace_pb2 import Status

from otel_meta.cli.console.rendered import rendered
from otel_meta.cli.slo.status_table import StatusTable
from otel_meta.testing.otlp_receiver import OtlpReceiver, ReceivedSpan

from .display import Display
from .on_call import page_text
from .stop_signal import StopSignal
from .trace_tree import trace_tree

if TYPE_CHECKING:
    from .stack_servers import Stack
    from .webhook_receiver import Notification

_FAULT_STARTS: Final = 0.3
_FAULT_ENDS: Final = 0.5
"""Shares of the demo's length."""
_LONGEST_PAUSE: Final = 60.0
_POLL: Final = 0.5
_TABLES: Final = 8
"""Number of tables if the output is not a terminal."""
_OF_CUSTOMERS: Final = "storefront"
"""The service whose customers feel the fault: its page is shown as a whole."""


class ServiceClient(Protocol):
    """The interface of a running service."""

    @property
    def url(self) -> str:
        """Base URL."""
        ...

    def get(self, path: str) -> Any:
        """Return the JSON of a path."""
        ...

    def put(self, path: str, content: Mapping[str, Any]) -> Any:
        """Send JSON to a path."""
        ...

    def lines(self) -> list[str]:
        """Return the log lines, oldest first."""
        ...


class Scenario:
    """Runs the demo on services that are ready.

    Args:
        storefront: a service under traffic.
        payments: the service with the switch for the fault.
        receiver: gets the spans of both services.
        stack: the real servers, if they run.
    """

    def __init__(
        self,
        storefront: ServiceClient,
        payments: ServiceClient,
        receiver: OtlpReceiver,
        stack: Stack | None = None,
    ) -> None:
        self._storefront: Final = storefront
        self._payments: Final = payments
        self._receiver: Final = receiver
        self._stack: Final = stack
        self._display: Final = Display()

    def run(self, seconds: float, stop: StopSignal) -> None:
        """Run for so many seconds, or until the signal."""
        start = time.monotonic()
        phases = [
            (0.0, self._start),
            (_FAULT_STARTS * seconds, self._inject_fault),
            (_FAULT_ENDS * seconds, self._remove_fault),
        ]
        pause = 1.0 if self._display.is_screen else min(max(seconds / _TABLES, 1.0), _LONGEST_PAUSE)
        next_table = 0.0
        while not stop.is_set() and (elapsed := time.monotonic() - start) < seconds:
            while phases and phases[0][0] <= elapsed:
                phases.pop(0)[1](elapsed)
                next_table = elapsed
            self._show_notifications(elapsed)
            if elapsed >= next_table:
                self._show_table(elapsed, seconds)
                next_table = elapsed + pause
            next_phase = min([at for at, _ in phases[:1]] + [seconds])
            stop.wait(min(_POLL, next_phase - (time.monotonic() - start)))

    def summary(self) -> str:
        """Return one trace over both services, and the log lines with the trace id."""
        trace = self._trace_over_both_services()
        if not trace:
            return "No trace crossed both services: the demo was too short."
        trace_id = trace[0].span.trace_id.hex()
        lines = [
            line
            for service in (self._storefront, self._payments)
            for line in service.lines()
            if trace_id in line and '"event":"request"' not in line
        ]
        return (
            f"Trace {trace_id}, two processes:\n{_indent(trace_tree(trace))}\n\n"
            f"Log lines with this trace id:\n{_indent(chr(10).join(lines))}"
        )

    def _start(self, elapsed: float) -> None:
        services = (self._storefront, self._payments)
        self._display.show_addresses(
            f"{service.url}{path}" for service in services for path in ("/metrics", "/slo")
        )
        if self._stack is not None:
            self._display.show_addresses(self._stack.hints())
        self._add_event(elapsed, "traffic starts, without a fault")

    def _inject_fault(self, elapsed: float) -> None:
        self._payments.put("/faults", {"error_ratio": 0.7})
        self._add_event(elapsed, "fault: 70 % of calls to the card network fail")

    def _remove_fault(self, elapsed: float) -> None:
        self._payments.put("/faults", {"error_ratio": 0.0})
        self._add_event(elapsed, "the fault has ended; the spent error budget stays spent")

    def _add_event(self, elapsed: float, text: str) -> None:
        self._display.show_event(f"{elapsed:5.0f} s  {text}")

    def _show_notifications(self, elapsed: float) -> None:
        """Show each alert that fires or ends, and the text of a page that customers feel."""
        if self._stack is None:
            return
        for notification in self._stack.webhooks.new_notifications():
            self._add_event(elapsed, f"Alertmanager: {notification}")
            if notification.status != "firing":
                self._display.end_page(notification.alert)
            elif slo := _page_of_customers(notification):
                commands = self._stack.commands(slo, _OF_CUSTOMERS)
                self._display.show_page(notification.alert, page_text(notification, commands))

    def _show_table(self, elapsed: float, seconds: float) -> None:
        pages = (self._storefront.get("/slo"), self._payments.get("/slo"))
        table = rendered([StatusTable(row for page in pages for row in page["slos"])])
        self._display.show_table(table, f"{elapsed:.0f} of {seconds:.0f} s; Ctrl-C ends it")

    def _trace_over_both_services(self) -> Sequence[ReceivedSpan]:
        traces: dict[bytes, list[ReceivedSpan]] = {}
        for received in self._receiver.spans():
            traces.setdefault(received.span.trace_id, []).append(received)
        crossing = [spans for spans in traces.values() if len({s.service_name for s in spans}) > 1]
        return max(crossing, key=_preference, default=())


def _page_of_customers(notification: Notification) -> str:
    """Return the SLO of a page that customers feel; empty for other alerts."""
    labels = notification.labels
    is_shown = labels.get("severity") == "page" and labels.get("service_name") == _OF_CUSTOMERS
    return labels.get("slo", "") if is_shown else ""


def _preference(spans: Sequence[ReceivedSpan]) -> tuple[bool, bool, int]:
    """Return the sort key: complete traces, then without errors, then the latest.

    A service keeps the log lines of its latest traces only.
    """
    ids = {b"", *(received.span.span_id for received in spans)}
    is_complete = all(received.span.parent_span_id in ids for received in spans)
    is_ok = all(r.span.status.code != Status.STATUS_CODE_ERROR for r in spans)
    return is_complete, is_ok, min(r.span.start_time_unix_nano for r in spans)


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())

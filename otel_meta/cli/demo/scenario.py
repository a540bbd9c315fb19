"""The demo's play: what happens when, and what is shown meanwhile."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.proto.trace.v1.trace_pb2 import Status

from otel_meta.testing.otlp_sink import OtlpSink, ReceivedSpan

from .services import Service
from .slo_table import board
from .stop_signal import Stop
from .trace_tree import trace_tree

if TYPE_CHECKING:
    from .stack_servers import Stack

_FAULT_FROM: Final = 0.3
_FAULT_TO: Final = 0.5
"""Shares of the play's length."""
_CLEAR: Final = "\x1b[H\x1b[2J"
_LONGEST_PAUSE: Final = 60.0
_BOARDS: Final = 8
"""How many boards are printed where they cannot be drawn over each other."""


class Play:
    """Runs for a while: well, then with a fault in the card network, then mended."""

    def __init__(
        self, storefront: Service, payments: Service, sink: OtlpSink, stack: Stack | None = None
    ) -> None:
        self._storefront: Final = storefront
        self._payments: Final = payments
        self._sink: Final = sink
        self._stack: Final = stack
        self._said: Final[list[str]] = []
        self._live: Final = sys.stdout is not None and sys.stdout.isatty()

    def run(self, seconds: float, stop: Stop) -> None:
        """Play, unless it is time to end."""
        start = time.monotonic()
        acts = [
            (0.0, self._open),
            (_FAULT_FROM * seconds, self._break),
            (_FAULT_TO * seconds, self._mend),
        ]
        pause = 1.0 if self._live else min(max(seconds / _BOARDS, 1.0), _LONGEST_PAUSE)
        while not stop.is_set() and (elapsed := time.monotonic() - start) < seconds:
            while acts and acts[0][0] <= elapsed:
                acts.pop(0)[1](elapsed)
            self._draw(elapsed, seconds)
            until = min([at for at, _ in acts[:1]] + [seconds]) - (time.monotonic() - start)
            stop.wait(min(pause, until))

    def epilogue(self) -> str:
        """One trace over both services, and the log lines that carry its id."""
        trace = self._trace_over_both()
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
            f"Log lines with its id:\n{_indent(chr(10).join(lines))}"
        )

    def _open(self, elapsed: float) -> None:
        for service in (self._storefront, self._payments):
            for path in ("/metrics", "/slo"):
                self._said.append(f"{service.url}{path}")
        if self._stack is not None:
            self._said.extend(self._stack.words())
        self._say(elapsed, "customers come in; everything is well")

    def _break(self, elapsed: float) -> None:
        self._payments.put("/faults", {"error_ratio": 0.7})
        self._say(elapsed, "fault: 70 % of calls to the card network fail")

    def _mend(self, elapsed: float) -> None:
        self._payments.put("/faults", {"error_ratio": 0.0})
        self._say(elapsed, "the card network is mended; what burned stays burned")

    def _say(self, elapsed: float, text: str) -> None:
        self._said.append(f"{elapsed:5.0f} s  {text}")

    def _draw(self, elapsed: float, seconds: float) -> None:
        for news in self._stack.pager.news() if self._stack is not None else ():
            self._say(elapsed, f"Alertmanager: {news}")
        if self._live:
            print(_CLEAR, end="")
        if self._said:
            print("\n".join(self._said), end="\n\n")
        print(board([self._storefront.get("/slo"), self._payments.get("/slo")]))
        print(f"\n{elapsed:.0f} of {seconds:.0f} s; Ctrl-C ends it\n", flush=True)
        if not self._live:
            self._said.clear()

    def _trace_over_both(self) -> Sequence[ReceivedSpan]:
        traces: dict[bytes, list[ReceivedSpan]] = {}
        for received in self._sink.spans():
            traces.setdefault(received.span.trace_id, []).append(received)
        crossing = [spans for spans in traces.values() if len({s.service_name for s in spans}) > 1]
        return max(crossing, key=_tells_more, default=())


def _tells_more(spans: Sequence[ReceivedSpan]) -> tuple[bool, bool, int]:
    """A whole trace that went well, and the latest of them, whose log lines are still kept."""
    ids = {b"", *(received.span.span_id for received in spans)}
    whole = all(received.span.parent_span_id in ids for received in spans)
    went_well = all(r.span.status.code != Status.STATUS_CODE_ERROR for r in spans)
    return whole, went_well, min(r.span.start_time_unix_nano for r in spans)


def _indent(text: Any) -> str:
    return "\n".join(f"  {line}" for line in str(text).splitlines())

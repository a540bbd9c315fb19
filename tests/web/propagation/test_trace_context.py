"""The demands of W3C Trace Context, levels 1 and 2, on a service: from header in to header out."""

from __future__ import annotations

import json
import socket
import string
from collections.abc import Iterator
from typing import Final, NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry import baggage
from opentelemetry.propagate import inject

from otel_meta import Telemetry, instrument_fastapi
from otel_meta.testing import capture
from tests.conftest import serve

TRACE: Final = "12345678901234567890123456789012"
SPAN: Final = "1234567890123456"
NEW: Final = ("new", "")
"""The service begins a trace, without the state of the caller."""
CALLS: Final = 3

PUNCTUATION: Final = "".join(sorted(set(map(chr, range(0x20, 0x7F))) - set(",=")))
LONG: Final = "z" * 256
MEMBERS: Final = [f"m{number:02}={number}" for number in range(33)]


class Sent(NamedTuple):
    """The headers of one call that the service makes."""

    trace_id: str
    span_id: str
    flags: str
    state: str


def parent(version: str = "00", trace: str = TRACE, span: str = SPAN, flags: str = "01") -> str:
    """Return a header line with the parent."""
    return f"traceparent: {version}-{trace}-{span}-{flags}"


def state(*values: str) -> list[str]:
    """Return header lines with an unsampled parent and these states."""
    return [parent(flags="00"), *(f"tracestate: {value}" for value in values)]


def kept(state: str = "", flags: str = "00") -> tuple[str, str]:
    """Return what is expected if the service continues the trace of the caller."""
    return f"{TRACE}-{flags}", state


DEMANDS: Final[dict[str, list[tuple[list[str], tuple[str, str]]]]] = {
    "no header: a trace begins": [([], NEW)],
    "a parent without a state is continued": [([parent()], kept(flags="01"))],
    "two parents are none": [([parent(trace=TRACE[:-1] + "1"), parent()], NEW)],
    "the parent's header has no other name": [
        ([parent().replace("traceparent", name)], NEW) for name in ("trace-parent", "trace.parent")
    ],
    "the case of the parent's header does not matter": [
        ([parent().replace("traceparent", name)], kept(flags="01"))
        for name in ("TraceParent", "TrAcEpArEnT", "TRACEPARENT")
    ],
    "version 00 has nothing behind the flags": [
        ([parent(flags=flags)], NEW) for flags in ("01.", "01-what-comes-later")
    ],
    "a later version may have more behind a dash": [
        ([parent("cc")], kept(flags="01")),
        ([parent("cc", flags="01-what-comes-later")], kept(flags="01")),
        ([parent("cc", flags="01.what-comes-later")], NEW),
    ],
    "version ff is invalid": [([parent("ff")], NEW)],
    "the version is hexadecimal": [([parent(version)], NEW) for version in (".0", "0.", "0A")],
    "the version is not longer": [([parent(version)], NEW) for version in ("000", "0000")],
    "the version is not shorter": [([parent("0")], NEW)],
    "the trace id is not zero": [([parent(trace="0" * 32)], NEW)],
    "the trace id is hexadecimal": [
        ([parent(trace=trace)], NEW) for trace in ("." + TRACE[1:], TRACE[:-1] + ".", "A" * 32)
    ],
    "the trace id is not longer": [([parent(trace=TRACE + "3")], NEW)],
    "the trace id is not shorter": [([parent(trace=TRACE[:-1])], NEW)],
    "the span id is not zero": [([parent(span="0" * 16)], NEW)],
    "the span id is hexadecimal": [
        ([parent(span=span)], NEW) for span in ("." + SPAN[1:], SPAN[:-1] + ".", "A" * 16)
    ],
    "the span id is not longer": [([parent(span=SPAN + "7")], NEW)],
    "the span id is not shorter": [([parent(span=SPAN[:-1])], NEW)],
    "the flags are hexadecimal": [([parent(flags=flags)], NEW) for flags in (".0", "0.", "0A")],
    "the flags are not longer": [([parent(flags="001")], NEW)],
    "the flags are not shorter": [([parent(flags="1")], NEW)],
    "white space around the parent is ignored": [
        ([f"traceparent:{before}{parent().partition(': ')[2]}{after}"], kept(flags="01"))
        for before, after in ((" ", ""), ("\t", ""), ("", " "), ("", "\t"), ("\t ", " \t"))
    ],
    "a state without a parent is discarded": [
        ([f"tracestate: {value}"], NEW) for value in ("foo=1", "foo=1,bar=2")
    ],
    "a state with a parent is kept": [(state("foo=1,bar=2"), kept("foo=1,bar=2"))],
    "the state's header has no other name": [
        ([parent(flags="00"), f"{name}: foo=1"], kept()) for name in ("trace-state", "trace.state")
    ],
    "the case of the state's header does not matter": [
        ([parent(flags="00"), f"{name}: foo=1"], kept("foo=1"))
        for name in ("TraceState", "TrAcEsTaTe", "TRACESTATE")
    ],
    "an empty state is no state": [
        (state(""), kept()),
        (state("foo=1", ""), kept("foo=1")),
        (state("", "foo=1"), kept("foo=1")),
    ],
    "several states are joined in their order": [
        (state("foo=1,bar=2", "rojo=1,congo=2", "baz=3"), kept("foo=1,bar=2,rojo=1,congo=2,baz=3"))
    ],
    "of a repeated key the first member is kept": [
        (state("foo=1,foo=1"), kept("foo=1")),
        (state("foo=1,foo=2"), kept("foo=1")),
        (state("foo=1", "foo=1"), kept("foo=1")),
        (state("foo=1", "foo=2"), kept("foo=1")),
    ],
    "every character of the grammar is kept": [
        (state(member), kept(member))
        for key in (
            string.ascii_lowercase + string.digits + "_-*/",
            string.ascii_lowercase + string.digits + "_-*/@a-z0-9_-*/",
        )
        for member in [f"{key}={PUNCTUATION}"]
    ],
    "white space around members is ignored": [
        (state("foo=1 \t , \t bar=2, \t baz=3"), kept("foo=1,bar=2,baz=3")),
        (state("foo=1\t \t,\t \tbar=2,\t \tbaz=3"), kept("foo=1,bar=2,baz=3")),
        *(
            (state(value), kept("foo=1"))
            for value in (" foo=1", "\tfoo=1", "foo=1 ", "\t foo=1 \t")
        ),
    ],
    "a malformed key discards the state": [
        (state(value), kept()) for value in ("foo =1", "FOO=1", "foo.bar=1")
    ],
    "a key has at signs anywhere but in front": [
        (state("foo@=1,bar=2"), kept("foo@=1,bar=2")),
        (state("@foo=1,bar=2"), kept()),
        (state("foo@@bar=1,bar=2"), kept("foo@@bar=1,bar=2")),
        (state("foo@bar@baz=1,bar=2"), kept("foo@bar@baz=1,bar=2")),
    ],
    "a state has at most 32 members": [
        (state(",".join(MEMBERS[:20]), ",".join(MEMBERS[20:32])), kept(",".join(MEMBERS[:32]))),
        (state(",".join(MEMBERS[:20]), ",".join(MEMBERS[20:33])), kept()),
    ],
    "a key has at most 256 characters": [
        (state("foo=1", f"{LONG}=1"), kept(f"foo=1,{LONG}=1")),
        (state("foo=1", f"{LONG}z=1"), kept()),
        *(
            (state("foo=1", f"{key}=1"), kept(f"foo=1,{key}=1"))
            for key in ("t" * 241 + "@" + "v" * 14, "t" * 242 + "@v", "t@" + "v" * 15)
        ),
    ],
    "a malformed value discards the state": [
        (state(value), kept()) for value in ("foo=bar=baz", "foo=,bar=3")
    ],
    "several calls of a continued trace are of this trace": [([parent()], kept(flags="01"))],
    "several calls of a new trace have spans of their own": [([], NEW)],
    "several calls after an invalid parent are of a new trace": [([parent(trace="0" * 32)], NEW)],
    "the flag of a random trace id is kept": [([parent(flags="02")], kept(flags="02"))],
}


@pytest.fixture(scope="module")
def service() -> Iterator[httpx.Client]:
    """An instrumented service, whose response has the headers of the calls that it makes."""
    app = FastAPI()

    @app.get("/")
    async def call() -> list[dict[str, str]]:
        return [headers_of_call(captured.telemetry) for _ in range(CALLS)]

    with capture() as captured:
        instrument_fastapi(app, captured.telemetry)
        with serve(app, http="h11") as client:
            yield client


def headers_of_call(telemetry: Telemetry) -> dict[str, str]:
    """Return the headers that a client's instrumentation sends."""
    headers: dict[str, str] = {}
    assert telemetry.traces is not None
    with telemetry.traces.provider.get_tracer("client").start_as_current_span("call"):
        inject(headers)
    return headers


def calls(service: httpx.Client, lines: list[str]) -> list[Sent]:
    """Send a request with header lines to the letter, and return the calls of the service."""
    request = "\r\n".join(["GET / HTTP/1.1", "host: x", "connection: close", *lines, "", ""])
    with socket.create_connection((service.base_url.host, service.base_url.port or 0), 20) as peer:
        peer.sendall(request.encode("latin-1"))
        response = b"".join(iter(lambda: peer.recv(65_536), b""))
    made = json.loads(response.partition(b"\r\n\r\n")[2])
    return [sent(**each) for each in made]


def sent(traceparent: str, tracestate: str = "") -> Sent:
    """Return the parts of the headers of a call."""
    _, trace_id, span_id, flags = traceparent.split("-")
    return Sent(trace_id, span_id, flags, tracestate)


def outcome(lines: list[str], call: Sent) -> tuple[str, str]:
    """Return what the headers of the request became in a call."""
    is_kept = any(call.trace_id in line for line in lines)
    return f"{call.trace_id}-{call.flags}" if is_kept else "new", call.state


@pytest.mark.parametrize("demand", DEMANDS)
def test_service_meets_demand(demand: str, service: httpx.Client) -> None:
    """The service continues or begins a trace, and keeps or discards the state, as demanded."""
    for lines, expected in DEMANDS[demand]:
        made = calls(service, lines)

        assert CALLS == len({call.span_id for call in made} - {SPAN})
        assert {expected} == {outcome(lines, call) for call in made}, lines
        assert 1 == len({call.trace_id for call in made})


def test_table_has_each_demand() -> None:
    """The table has as many demands as the suite of W3C has tests."""
    assert 41 == len(DEMANDS)


def test_public_service_links_to_caller() -> None:
    """A public service begins a trace with a link to the caller; nothing else is taken over."""
    app = FastAPI()
    app.get("/")(lambda: [baggage.get_all()])
    with capture() as captured:
        instrument_fastapi(app, captured.telemetry, public=True)
        with serve(app) as client:
            name, _, value = parent().partition(": ")
            headers = {name: value, "tracestate": "foo=1", "baggage": "user=alice"}
            seen = client.get("/", headers=headers).json()
        (span,) = captured.spans()
    (link,) = span.links

    assert [{}] == seen
    assert span.parent is None
    assert TRACE != f"{span.context.trace_id:032x}"
    assert (TRACE, SPAN) == (f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}")
    assert {} == dict(link.context.trace_state) == dict(span.context.trace_state)

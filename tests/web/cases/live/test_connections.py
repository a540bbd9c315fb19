from __future__ import annotations

import asyncio
import json
import re
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from .served import LIVE, Served, Trace, read_to_end, request_of

LARGE = b"x" * 500_000
SERVER = 2


class TestKeepAlive:
    def test_request_after_upload_has_own_trace(self, served: Served) -> None:
        """A request after a large upload on the same connection is in its own trace."""
        first, second = Trace(), Trace()
        with served.client() as client:
            client.post("/upload", content=LARGE, headers=first.header)
            response = client.get("/visible", headers=second.header)

        assert second.id == response.json()["trace_id"]
        assert SERVER == served.span(second).kind == served.span(first).kind

    def test_request_after_upload_has_no_field_of_upload(self, served: Served) -> None:
        """A request after a large upload has no log field that the upload has bound."""
        with served.client() as client:
            client.post("/bind", content=LARGE, headers={"x-user": "ann"})
            fields = client.get("/visible").json()
        (line,) = served.lines(request_id=fields["request_id"], url_path="/visible") or [{}]

        assert "user" not in fields
        assert "user" not in line

    def test_request_without_parent_begins_trace(self, served: Served) -> None:
        """A request without a parent begins a trace, whatever came before on the connection."""
        first = Trace()
        with served.client() as client:
            client.post("/bind", content=LARGE, headers=first.header)
            trace_ids = {client.get("/visible").json()["trace_id"] for _ in range(3)}

        assert 3 == len(trace_ids)
        assert first.id not in trace_ids


class TestPipelining:
    def test_pipelined_requests_have_own_traces(self, served: Served) -> None:
        """Requests that are sent at once have their own traces and fields."""
        traces = [Trace() for _ in range(4)]
        requests = [
            request_of(
                "/bind",
                f"traceparent: {trace.parent}",
                f"x-request-id: order-{number}",
                *([f"x-user: user-{number}"] if number % 2 == 0 else []),
                method="POST",
                body=b"x" * (100_000 if number == 0 else 10),
                is_last=number == 3,
            )
            for number, trace in enumerate(traces)
        ]
        with served.connect() as connection:
            connection.sendall(b"".join(requests))
            received = bodies(read_to_end(connection))

        assert [trace.id for trace in traces] == [body["trace_id"] for body in received]
        assert [f"order-{n}" for n in range(4)] == [body["request_id"] for body in received]
        assert ["user-0", None, "user-2", None] == [body.get("user") for body in received]


def bodies(received: bytes) -> list[dict[str, Any]]:
    """Return the JSON bodies of the responses on a connection."""
    decoder, text, found = json.JSONDecoder(), received.decode(), []
    while (start := text.find("{")) >= 0:
        body, end = decoder.raw_decode(text[start:])
        found.append(body)
        text = text[start + end :]
    return found


class TestConcurrency:
    def test_two_hundred_requests_see_no_other_request(self, served: Served) -> None:
        """Of 200 concurrent requests, none sees an id or a field of another one."""
        sizes = st.sampled_from([0, 10, 70_000])
        orders = st.lists(
            st.builds(Order, st.integers(0, 5), sizes, st.booleans()), min_size=5, max_size=5
        )

        @settings(LIVE, max_examples=3)
        @given(orders, st.booleans())
        def compare(some: list[Order], is_pipelined: bool) -> None:
            connections = [
                [Bound(40 * number + place, order) for place, order in enumerate(some)]
                for number in range(40)
            ]
            seen = asyncio.run(bind_all(served.port, connections, is_pipelined))
            assert [[bound.visible for bound in each] for each in connections] == seen

        compare()


class Order(NamedTuple):
    """How a request lets other requests run."""

    turns: int
    """Of the event loop."""
    size: int
    """Of the body, in bytes."""
    is_known: bool
    """Whether the client has a name, which the application binds to its log lines."""


class Bound:
    """A request of a client, and the fields that the application has to see.

    Args:
        number: of the client.
        order: of the request.
    """

    def __init__(self, number: int, order: Order) -> None:
        trace = Trace()
        user = {"user": f"user-{number}"} if order.is_known else {}
        self.visible = {"request_id": f"order-{number}", "trace_id": trace.id, **user}
        self.request = request_of(
            "/bind",
            f"traceparent: {trace.parent}",
            f"x-request-id: order-{number}",
            f"x-turns: {order.turns}",
            *[f"x-user: {name}" for name in user.values()],
            method="POST",
            body=b"x" * order.size,
            is_last=False,
        )


async def bind_all(
    port: int, connections: list[list[Bound]], is_pipelined: bool
) -> list[list[dict[str, str]]]:
    """Send the requests of all connections concurrently; return the fields that each has seen."""
    return await asyncio.gather(*(bind(port, each, is_pipelined) for each in connections))


async def bind(port: int, requests: list[Bound], is_pipelined: bool) -> list[dict[str, str]]:
    """Send requests on one connection, at once or one after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    seen = []
    batches = [requests] if is_pipelined else [[request] for request in requests]
    for batch in batches:
        writer.write(b"".join(bound.request for bound in batch))
        seen += [await read_fields(reader) for _ in batch]
    writer.close()
    await writer.wait_closed()
    return seen


async def read_fields(reader: asyncio.StreamReader) -> dict[str, str]:
    """Read one response, and return its fields without the span id."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    assert length is not None, head
    fields: dict[str, str] = json.loads(await reader.readexactly(int(length[1])))
    del fields["span_id"]
    return fields

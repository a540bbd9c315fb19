from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import PATIENCE

from .served import Served, Trace, read_to_end, request_of

LARGE = b"x" * 500_000
SERVER = 2

Order = tuple[int, int, bool]
"""Turns of the event loop, bytes of the body, and whether the client is known."""


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
        orders = st.tuples(
            st.integers(0, 5), st.sampled_from([0, 10, 70_000]), st.booleans()
        )

        @settings(max_examples=2, suppress_health_check=list(HealthCheck), database=None)
        @given(st.lists(orders, min_size=20, max_size=20))
        def compare(some: list[Order]) -> None:
            expected, seen = asyncio.run(bind_all(served, some * 10))
            assert expected == seen

        compare()


async def bind_all(
    served: Served, orders: list[Order]
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Send concurrent requests on shared connections; return expected and visible fields."""
    limits = httpx.Limits(max_connections=40, max_keepalive_connections=40)
    async with httpx.AsyncClient(
        base_url=served.url, limits=limits, timeout=PATIENCE, trust_env=False
    ) as client:
        pairs = [bind(client, number, order) for number, order in enumerate(orders)]
        done = await asyncio.gather(*pairs)
    return [expected for expected, _ in done], [seen for _, seen in done]


async def bind(
    client: httpx.AsyncClient, number: int, order: Order
) -> tuple[dict[str, str], dict[str, str]]:
    """Send one request; return the fields that it has to see, and those that it sees."""
    turns, size, is_known = order
    trace = Trace()
    fields = {"request_id": f"order-{number}"} | ({"user": f"user-{number}"} if is_known else {})
    headers = {
        **trace.header,
        "x-request-id": fields["request_id"],
        "x-turns": str(turns),
        **({"x-user": fields["user"]} if is_known else {}),
    }
    response = await client.post("/bind", content=b"x" * size, headers=headers)
    seen = response.json()
    del seen["span_id"]
    return {**fields, "trace_id": trace.id}, seen

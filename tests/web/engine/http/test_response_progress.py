from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.web.asgi import Message
from otel_meta.web.engine.http.response_progress import ResponseProgress

CHUNKS = st.lists(st.binary(max_size=3), max_size=6)


def body(chunk: bytes, *, more: bool) -> Message:
    """Return a part of a body."""
    return {"type": "http.response.body", "body": chunk, "more_body": more}


def progress(
    *messages: Message, headers: dict[bytes, bytes] | None = None, trailers: bool = False
) -> ResponseProgress:
    """Return the progress after messages; the first has the time 1."""
    response = ResponseProgress()
    start = {"type": "http.response.start", "status": 201, "trailers": trailers}
    response.start(start, headers or {})
    for now, message in zip(count(1.0), messages, strict=False):
        response.sent(message, now)
    return response


LAST = body(b"", more=False)
FILE: Message = {"type": "http.response.pathsend", "path": "/a"}
TRAILERS: Message = {"type": "http.response.trailers", "headers": []}


class TestEnd:
    @pytest.mark.parametrize(
        ("messages", "trailers", "ended"),
        [
            ([], False, None),
            ([LAST], False, 1.0),
            ([{"type": "http.response.body"}], False, 1.0),
            ([body(b"a", more=True)], False, None),
            ([body(b"a", more=True), LAST], False, 2.0),
            ([FILE], False, 1.0),
            ([{"type": "http.response.zerocopysend", "file": 1, "more_body": True}], False, None),
            ([LAST], True, None),
            ([FILE], True, None),
            ([LAST, TRAILERS], True, 2.0),
            ([LAST, {**TRAILERS, "more_trailers": True}], True, None),
            ([LAST, {**TRAILERS, "more_trailers": True}, TRAILERS], True, 3.0),
            ([{"type": "http.response.push", "path": "/a"}], False, None),
            ([{"type": "http.response.debug"}, LAST], False, 2.0),
        ],
    )
    def test_last_message_ends_response(
        self, messages: list[Message], trailers: bool, ended: float | None
    ) -> None:
        """The last message of the body, or of promised trailers, ends the response."""
        assert ended == progress(*messages, trailers=trailers).ended

    @given(CHUNKS, st.booleans())
    def test_any_chunks_end_once_and_are_counted(self, chunks: list[bytes], trailers: bool) -> None:
        """Any chunks are counted; the end is the last message, and the first byte the first."""
        messages = [*(body(chunk, more=True) for chunk in chunks), LAST]
        messages += [TRAILERS] if trailers else []
        first = next((float(at) for at, chunk in enumerate(chunks, 1) if chunk), None)
        response = progress(*messages, trailers=trailers)

        assert (float(len(messages)), first) == (response.ended, response.first_byte)
        assert sum(map(len, chunks)) == response.size
        assert progress(*messages[:-1], trailers=trailers).ended is None


class TestStream:
    @given(CHUNKS)
    def test_stream_has_more_than_one_chunk_without_length(self, chunks: list[bytes]) -> None:
        """A stream has more than one chunk with bytes, and no length."""
        messages = [body(chunk, more=True) for chunk in chunks]

        assert (sum(map(bool, chunks)) > 1) == progress(*messages).is_stream
        assert not progress(*messages, headers={b"content-length": b"9"}).is_stream

    @pytest.mark.parametrize("kind", [b"text/event-stream", b"text/event-stream; charset=utf-8"])
    def test_events_are_stream_from_first_message(self, kind: bytes) -> None:
        """Server-sent events are a stream from the start on."""
        assert progress(headers={b"content-type": kind}).is_stream


class TestSize:
    @pytest.mark.parametrize(
        ("headers", "size"),
        [({}, None), ({b"content-length": b"7"}, 7), ({b"content-length": b"seven"}, None)],
    )
    def test_file_has_size_of_header(self, headers: Any, size: int | None) -> None:
        """A body that the server reads from a file has the size of the header, or none."""
        assert size == progress(FILE, headers=headers).size

"""Random bytes of clients: what they send on a connection, and in which parts."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

PATHS = (
    *(b"/items/7", b"/items/x", b"/fail", b"/guarded", b"/session", b"/stream", b"/events"),
    *(b"/broken-stream", b"/closed", b"/hello", b"/v1/status/1", b"/sub/hello/ann"),
    *(b"/reflect", b"/reflect/a/b", b"/tasks", b"/raw/", b"/raw", b"/files/application.py"),
    *(
        b"/files/nothing",
        b"/tenants/a/orders/7",
        b"/tenants/a",
        b"/silent",
    ),
    *(b"/upload", b"/parts", b"/unread", b"/failing-task", b"/", b"*", b""),
    *(b"//", b"/items/7/", b"/rooms/a", b"http://other.example/items/7"),
)
BODIES = (b"/upload", b"/parts", b"/unread", b"/reflect", b"/items/7")
METHODS = (b"GET", b"HEAD", b"OPTIONS", b"PUT", b"PATCH", b"DELETE", b"QUERY", b"get", b"TRACE")
NAMES = (
    *(b"Host", b"User-Agent", b"Accept-Encoding", b"Origin", b"Cookie", b"Range", b"If-None-Match"),
    *(b"traceparent", b"tracestate", b"baggage", b"X-Request-ID", b"X-Forwarded-For"),
    *(b"X-Forwarded-Proto", b"Access-Control-Request-Method", b"Content-Type", b"x-user"),
)
VALUES = (
    *(b"", b"a", b"gzip", b"https://shop.example", b"bytes=0-3", b"*", b"\xff\xfe", b"a,b;c=d"),
    *(b"00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-01", b"%FF=%FF", b"GET", b"127.0.0.1, ::1"),
    *(b"application/json", b"multipart/form-data; boundary=x", b"https", b"a=1", b"9" * 400),
)
LAST = b"GET /items/7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class Sending(NamedTuple):
    """What a client sends."""

    parts: list[bytes]
    """Each in a call of its own."""
    is_cut: bool
    """Whether the client leaves without an end: the response then depends on time."""


def random_sending(seed: Random) -> Sending:
    """Return the bytes of up to four requests on one connection."""
    requests = [_request(seed) for _ in range(seed.randint(0, 3))]
    text = b"".join(requests) + LAST
    is_cut = seed.random() < 0.15
    if is_cut:
        text = text[: seed.randrange(1, len(text))]
    cuts = sorted(seed.randrange(len(text)) for _ in range(seed.choice((0, 0, 1, 3))))
    ends = zip([0, *cuts], [*cuts, len(text)], strict=True)
    return Sending([text[start:end] for start, end in ends if start < end], is_cut)


def _request(seed: Random) -> bytes:
    kind = seed.random()
    if kind < 0.03:
        return seed.randbytes(seed.randrange(30)) + b"\r\n\r\n"
    method, target, headers, body = seed.choice(METHODS[:3]), _target(seed), _headers(seed), b""
    if kind < 0.3:
        method = seed.choice(METHODS)
    elif kind < 0.6:
        method, target = b"POST", seed.choice(BODIES)
        more, body = _body(seed)
        headers += more
    elif kind < 0.65:
        headers += [
            *((b"Upgrade", b"websocket"), (b"Connection", b"Upgrade")),
            *((b"Sec-WebSocket-Version", b"13"), (b"Sec-WebSocket-Key", seed.choice(VALUES))),
        ]
    version = seed.choice((b"1.1",) * 19 + (b"1.0",))
    head = b"%s %s HTTP/%s\r\n" % (method, target, version)
    return head + b"".join(b"%s: %s\r\n" % each for each in headers) + b"\r\n" + body


def _target(seed: Random) -> bytes:
    target = seed.choice(PATHS)
    if seed.random() < 0.3:
        coded = b"".join(b"%%%02X" % byte for byte in seed.randbytes(seed.randrange(4)))
        target += seed.choice((b"/", b"", b"%", b"%2", b"%2F..", b"..;/")) + coded
    if seed.random() < 0.3:
        target += b"?" + seed.choice((b"", b"a=1", b"%FF=%GG", b"&&;=", b"token=hunter2", b"\xff"))
    return target


def _headers(seed: Random) -> list[tuple[bytes, bytes]]:
    headers = [(b"Host", b"shop.example")] if seed.random() < 0.9 else []
    for _ in range(seed.randrange(5)):
        name = seed.choice(NAMES)
        if seed.random() < 0.1:
            name = bytes(seed.randrange(33, 127) for _ in range(3))
        value = seed.choice(VALUES)
        if seed.random() < 0.1:
            value = seed.randbytes(6)
        headers.append((name, value))
    return headers


def _body(seed: Random) -> tuple[list[tuple[bytes, bytes]], bytes]:
    body = seed.choice((b"", b"a", b"{}", b"x" * 70_000, b"\x00\xff" * 9))
    headers: list[tuple[bytes, bytes]] = []
    if seed.random() < 0.2:
        headers.append((b"Expect", b"100-continue"))
    form = seed.random()
    if form < 0.4:
        chunks = [body[:5], body[5:]]
        coded = b"".join(b"%X\r\n%s\r\n" % (len(each), each) for each in chunks if each)
        return [*headers, (b"Transfer-Encoding", b"chunked")], coded + b"0\r\n\r\n"
    length = b"%d" % len(body)
    if form > 0.95:
        length = seed.choice((b"-1", b"abc", b"9" * 30, b"1, 1", b"+3", b"0x1"))
    return [*headers, (b"Content-Length", length)], body

"""Close codes of WebSockets, and the reasons that they stand for.

Source: RFC 6455, section 7.4, and IANA's registry of close codes. Whoever sends 1002, 1003, 1007,
1009 or 1010 says that the other side broke the protocol. An ASGI server reports its verdict on a
client and a client's verdict on the server by the same message, so the reason blames neither.

Codes from 1011 to 1014 are for servers. From a client they are errors of the protocol: otherwise
anybody could spend the error budget of a server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_meta.semconv import CloseReason

_NO_CODE: Final = 1005
"""A close frame without a code, as from ``socket.close()`` in a browser."""

_BLOCK: Final = 1000
_BLOCKS: Final[Mapping[int, CloseReason]] = {3: "library", 4: "application"}
"""Codes that nobody registered with a meaning, by their first digit."""

_OF_BOTH: Final[Mapping[int, CloseReason]] = {
    1000: "normal",
    1001: "going_away",
    1002: "protocol_error",
    1003: "protocol_error",
    1007: "protocol_error",
    1008: "policy_violation",
    1009: "protocol_error",
    1010: "protocol_error",
    1012: "service_restart",
}
_SENT: Final[Mapping[int, CloseReason]] = {
    **_OF_BOTH,
    1011: "server_error",
    1013: "try_again_later",
    1014: "bad_gateway",
}
# 1006 and 1015 are in no frame: a server reports them of a connection that was lost.
_RECEIVED: Final[Mapping[int, CloseReason]] = {
    **_OF_BOTH,
    _NO_CODE: "normal",
    1006: "vanished",
    1015: "vanished",
}


def reason_of_close(code: object) -> CloseReason:
    """Return the reason for which the application closed a connection.

    A code that no frame may have is a mistake of the application.
    """
    return _reason(code, _SENT, "server_error")


def reason_of_disconnect(message: Mapping[str, Any]) -> CloseReason:
    """Return the reason in a message ``websocket.disconnect``.

    The message also follows a close by the application: the first of both is the end.
    """
    code = message.get("code", _NO_CODE)
    # Uvicorn has the code 1005 for a lost connection as well, and then no text beside the code.
    if code == _NO_CODE and "reason" not in message:
        return "vanished"
    return _reason(code, _RECEIVED, "protocol_error")


def _reason(
    code: object, meanings: Mapping[int, CloseReason], otherwise: CloseReason
) -> CloseReason:
    if not isinstance(code, int):
        return otherwise
    if code in meanings:
        return meanings[code]
    block = _BLOCKS.get(code // _BLOCK)
    return otherwise if block is None else block

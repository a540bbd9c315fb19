from __future__ import annotations

from typing import Any, Final, get_args

import pytest

from otel_meta.semconv import WEBSOCKET_SERVER_FAULTS, CloseReason
from otel_meta.web.engine.websocket.close_codes import reason_of_close, reason_of_disconnect

# Code -> the reason if the application sent it, and the reason if it was received.
MEANINGS: Final = {
    1000: ("normal", "normal"),
    1001: ("going_away", "going_away"),
    1002: ("protocol_error", "protocol_error"),
    1003: ("protocol_error", "protocol_error"),
    1004: ("server_error", "protocol_error"),
    1005: ("server_error", "normal"),
    1006: ("server_error", "vanished"),
    1007: ("protocol_error", "protocol_error"),
    1008: ("policy_violation", "policy_violation"),
    1009: ("protocol_error", "protocol_error"),
    1010: ("protocol_error", "protocol_error"),
    1011: ("server_error", "protocol_error"),
    1012: ("service_restart", "service_restart"),
    1013: ("try_again_later", "protocol_error"),
    1014: ("bad_gateway", "protocol_error"),
    1015: ("server_error", "vanished"),
}
NOT_ASSIGNED: Final = (*range(1016, 3000), *range(-1, 1000), *range(5000, 65_536, 997), 10**20)
NO_NUMBERS: Final[tuple[Any, ...]] = (None, "1000", 1000.5, b"", [])


def received(code: object) -> CloseReason:
    """Return the reason of a close frame that a server reports."""
    return reason_of_disconnect({"type": "websocket.disconnect", "code": code, "reason": ""})


class TestClose:
    @pytest.mark.parametrize("code", MEANINGS)
    def test_each_code_of_protocol_has_its_reason_by_its_sender(self, code: int) -> None:
        """Each code of the protocol has its reason by its sender."""
        assert MEANINGS[code] == (reason_of_close(code), received(code))

    @pytest.mark.parametrize(("first", "reason"), [(3000, "library"), (4000, "application")])
    def test_codes_of_libraries_and_applications_have_reason_each(
        self, first: int, reason: str
    ) -> None:
        """Codes of libraries and of applications have one reason each, whoever sends them."""
        codes = range(first, first + 1000)

        assert {reason} == {reason_of_close(code) for code in codes}
        assert {reason} == {received(code) for code in codes}

    def test_code_without_meaning_is_mistake_of_its_sender(self) -> None:
        """A code without a meaning is a mistake of its sender."""
        assert {"server_error"} == {reason_of_close(code) for code in NOT_ASSIGNED}
        assert {"protocol_error"} == {received(code) for code in NOT_ASSIGNED}

    def test_value_that_is_no_code_is_mistake_of_its_sender(self) -> None:
        """A value that is no code is a mistake of its sender."""
        assert {"server_error"} == {reason_of_close(value) for value in NO_NUMBERS}
        assert {"protocol_error"} == {received(value) for value in NO_NUMBERS}


class TestDisconnect:
    @pytest.mark.parametrize("message", [{}, {"code": 1005}])
    def test_message_without_text_beside_missing_code_is_lost_connection(
        self, message: dict[str, Any]
    ) -> None:
        """A message without a text beside a missing code is a lost connection."""
        assert "vanished" == reason_of_disconnect(message)


class TestFaults:
    def test_no_client_can_cause_fault_of_server(self) -> None:
        """No close frame of a client is a fault of the server."""
        every = {received(code) for code in range(5001)}

        assert every.isdisjoint(WEBSOCKET_SERVER_FAULTS)

    def test_reasons_are_few(self) -> None:
        """The reasons are few, because each is a series, and the faults are some of the reasons."""
        assert len(get_args(CloseReason)) <= 14
        assert set(WEBSOCKET_SERVER_FAULTS) < set(get_args(CloseReason))

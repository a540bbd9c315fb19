from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import TraceState

from otel_meta.web.propagation.tracestate import Level2TraceState, parse_tracestate
from tests.web.propagation.conftest import state_keys, state_values, states

LEVEL_2 = "3=1,foo@=2,a@b@c=3"
"""A header with keys that only Level 2 allows."""
FULL = ",".join(f"m{number}={number}" for number in range(32))


def parsed(header: str) -> TraceState:
    """Return the state of a valid header."""
    state = parse_tracestate([header.encode()])
    assert state is not None
    return state


class TestParse:
    @given(states)
    def test_valid_header_round_trips(self, members: dict[str, str]) -> None:
        """A valid header goes out as it came in."""
        header = ",".join(f"{key}={value}" for key, value in members.items())

        assert header == parsed(header).to_header()

    @given(st.lists(st.binary() | st.sampled_from([b"a=1", b"b=2 ", b"", b"\t,"])))
    def test_no_bytes_raise(self, headers: list[bytes]) -> None:
        """Any bytes are none, or a state whose header has the same state."""
        state = parse_tracestate(headers)

        assert state == (state and parsed(state.to_header()))

    @pytest.mark.parametrize(("length", "expected"), [(8192, "a=1,b=2"), (8193, None)])
    def test_length_of_all_headers_is_limited(self, length: int, expected: str | None) -> None:
        """Headers of more than 8,192 bytes, with the comma between them, are discarded."""
        state = parse_tracestate([b"a=1", b"b=2".ljust(length - len(b"a=1,"))])

        assert expected == (state and state.to_header())


class TestChange:
    @given(states, state_keys, state_values)
    def test_updated_member_comes_first(
        self, members: dict[str, str], key: str, value: str
    ) -> None:
        """A new value makes its member the first; the others keep their order."""
        rest = [member for member in members.items() if member[0] != key]

        changed = Level2TraceState.of_valid(members.items()).update(key, value)

        assert [(key, value), *rest] == list(changed.items())

    def test_full_state_loses_its_last_member(self) -> None:
        """A member that is added to 32 members displaces the last one."""
        assert f"ot=1,{FULL}".removesuffix(",m31=31") == parsed(FULL).add("ot", "1").to_header()

    def test_added_member_comes_first(self) -> None:
        """An added member is the first."""
        assert f"ot=th:8,{LEVEL_2}" == parsed(LEVEL_2).add("ot", "th:8").to_header()

    def test_added_key_that_is_known_changes_nothing(self) -> None:
        """A key that the state has cannot be added."""
        assert LEVEL_2 == parsed(LEVEL_2).add("foo@", "new").to_header()

    def test_deleted_member_is_missing(self) -> None:
        """A deleted member is missing; the deletion of an unknown one changes nothing."""
        assert "3=1,a@b@c=3" == parsed(LEVEL_2).delete("foo@").delete("bar").to_header()

    @pytest.mark.parametrize(
        ("key", "value"), [("A", "1"), ("a", "1,b=2"), ("a", ""), ("a=b", "c")]
    )
    def test_malformed_member_changes_nothing(self, key: str, value: str) -> None:
        """A malformed member is not taken."""
        assert LEVEL_2 == parsed(LEVEL_2).update(key, value).to_header()

    @pytest.mark.parametrize("header", [LEVEL_2, FULL])
    def test_change_writes_no_log_line(self, header: str, caplog: pytest.LogCaptureFixture) -> None:
        """A sampler that adds its member to a caller's state writes no log line."""
        parsed(header).update("ot", "th:8").add("x@", "1").delete("y@")

        assert [] == caplog.records

    def test_original_remains(self) -> None:
        """A change leaves the state as it was."""
        state = parsed(LEVEL_2)
        state.update("a", "1")

        assert LEVEL_2 == state.to_header()

    def test_state_can_be_sent_to_process(self) -> None:
        """A state can be pickled."""
        assert parsed(LEVEL_2) == pickle.loads(pickle.dumps(parsed(LEVEL_2)))

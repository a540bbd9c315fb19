from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.baggage import set_baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context

from otel_meta.web.propagation.baggage import parse_baggage
from tests.web.propagation.conftest import baggage_keys, baggage_values


def sent(members: dict[str, object]) -> bytes:
    """Return the header that the API's propagator sends for these members."""
    context = Context()
    for key, value in members.items():
        context = set_baggage(key, value, context)
    carrier: dict[str, str] = {}
    W3CBaggagePropagator().inject(carrier, context)
    return carrier.get("baggage", "").encode("ascii")


def header(members: dict[str, str]) -> bytes:
    """Return a header with members as they are."""
    return ",".join(f"{key}={value}" for key, value in members.items()).encode("ascii")


class TestGrammar:
    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ((), {}),
            ((b"",), {}),
            ((b"a=1,b=2",), {"a": "1", "b": "2"}),
            ((b"a=1", b"b=2,c=3"), {"a": "1", "b": "2", "c": "3"}),
            ((b"a=1", b"", b"b=2"), {"a": "1", "b": "2"}),
            ((b"\t a \t=\t 1 \t,b = 2",), {"a": "1", "b": "2"}),
            ((b"a=1;p;q=2,b=2 ; p",), {"a": "1", "b": "2"}),
            ((b"a=1=2==",), {"a": "1=2=="}),
            ((b"a=",), {"a": ""}),
            ((b"a=1,a=2",), {"a": "2"}),
            ((b"a=D%C3%BCne%20%2C",), {"a": "Düne ,"}),
            ((b"a=x%FFy,b=1%2",), {"a": "x\N{REPLACEMENT CHARACTER}y", "b": "1%2"}),
            ((b"a=x+y",), {"a": "x y"}),
            ((b"a!b=1",), {"a!b": "1"}),
        ],
    )
    def test_members_are_decoded(
        self, values: tuple[bytes, ...], expected: dict[str, object]
    ) -> None:
        """The members of all headers are joined and decoded, without their properties."""
        assert expected == parse_baggage(values)

    @pytest.mark.parametrize(
        "member",
        [
            b"a",
            b"=1",
            b"a b=1",
            b"a=1 2",
            b'a="1"',
            b"a=\\",
            b"a=\xff",
            b"\xc3=1",
            b"a=\x00",
            b"(=1",
        ],
    )
    def test_malformed_member_is_left_out(self, member: bytes) -> None:
        """A malformed member is left out; the others remain."""
        assert {"x": "1", "y": "2"} == parse_baggage([b"x=1," + member + b",y=2"])


class TestRoundTrip:
    @given(st.dictionaries(baggage_keys, baggage_values, max_size=8))
    def test_service_behind_reads_same_members(self, members: dict[str, str]) -> None:
        """The API sends on each valid header so that the next service reads the same members."""
        received = parse_baggage([header(members)])

        assert received == parse_baggage([sent(received)])
        assert received or not members

    @given(st.dictionaries(st.text(min_size=1), st.text(), max_size=5))
    def test_baggage_of_api_is_understood(self, members: dict[str, object]) -> None:
        """Every text that the API sends arrives."""
        assert members == parse_baggage([sent(members)])

    @given(st.text("+ab", min_size=1))
    def test_plus_remains_plus(self, value: str) -> None:
        """A plus sign of a caller leaves as a plus sign, whatever the caller means by it."""
        assert f"a={value}".encode() == sent(parse_baggage([f"a={value}".encode()]))


class TestLimits:
    @given(st.lists(st.binary()))
    def test_no_bytes_raise(self, values: list[bytes]) -> None:
        """Any bytes are baggage, perhaps empty."""
        assert isinstance(parse_baggage(values), dict)

    def test_at_least_what_w3c_demands_is_kept(self) -> None:
        """64 members of 8,192 bytes together are kept."""
        members = {f"key{number:02}": "x" * 121 for number in range(64)}
        members["key00"] += "x" * (8192 - len(header(members)))

        assert members == parse_baggage([header(members)])

    @pytest.mark.parametrize(("length", "expected"), [(8192, "22"), (8193, None)])
    def test_longer_header_loses_whole_members(self, length: int, expected: str | None) -> None:
        """A member that does not end within the 8,192 bytes of the header is left out."""
        value = b"a=1,".ljust(length - len(b"b=22")) + b"b=22"

        for more in (b"", b",c=3"):
            assert expected == parse_baggage([value + more]).get("b")

    @pytest.mark.parametrize("count", [180, 181, 200])
    def test_member_beyond_180_is_left_out(self, count: int) -> None:
        """Of more members, the first 180 are kept."""
        members = {f"k{number}": "" for number in range(count)}

        assert [f"k{number}" for number in range(180)] == list(parse_baggage([header(members)]))

    @pytest.mark.parametrize(
        "value",
        [
            b",".join(b"a" for _ in range(4000)),
            b"a=" + b"!" * 8000,
            b"a=" + b"x" * 8000,
            b",".join(b"k%d=%%ff%%ff%%ff" % number for number in range(400)),
            b",".join(b"k%d=" % number + b"(" * 40 for number in range(100)),
            b",".join(b"k%d=" % number + b"!" * 40 for number in range(100)),
            b"\xff" * 60_000,
        ],
    )
    def test_baggage_writes_no_log_line(
        self, value: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        """No baggage makes its way in and out write a log line."""
        sent(parse_baggage([value]))

        assert [] == caplog.records

    @pytest.mark.parametrize("filler", [b" ", b"\t", b",", b"=", b";", b"%", b"a"])
    @pytest.mark.parametrize(("start", "end"), [(b"", b""), (b"a=", b"\x01"), (b"a", b"\x01")])
    def test_time_is_linear_in_length(self, start: bytes, filler: bytes, end: bytes) -> None:
        """No header of 8,000 bytes takes as long as a comparison of all pairs of bytes would."""
        began = time.process_time()
        parse_baggage([start + filler * 8000 + end])

        assert 0.1 > time.process_time() - began

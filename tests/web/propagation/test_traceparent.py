from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.web.propagation.traceparent import parse_traceparent

FORMAT = re.compile(
    rb"[ \t]*(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
    rb"(?:(?<!00.{53})-.*)?[ \t]*",
    re.DOTALL,
)
VALID = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def is_valid(header: bytes) -> bool:
    """Judge a header by the grammar."""
    return FORMAT.fullmatch(header) is not None


def accepts(header: bytes) -> bool:
    """Judge a header by the parser."""
    return parse_traceparent([header]) is not None


class TestParse:
    @given(
        st.integers(0, 0xFE),
        st.integers(1, 2**128 - 1),
        st.integers(1, 2**64 - 1),
        st.integers(0, 255),
    )
    def test_valid_header_gives_its_fields(
        self, version: int, trace_id: int, span_id: int, flags: int
    ) -> None:
        """A valid header gives its ids, and the flags of Level 2."""
        header = f"{version:02x}-{trace_id:032x}-{span_id:016x}-{flags:02x}"

        assert (trace_id, span_id, flags & 3) == parse_traceparent([header.encode()])

    @pytest.mark.parametrize(
        "header",
        [
            VALID,
            f" \t{VALID} \t",
            f"\n{VALID}",
            f"{VALID}\n",
            f"0{VALID}",
            f"abc01{VALID[2:]}",
            VALID.replace("a", "A"),
            VALID.replace("a", "_"),
            VALID.replace("-01", "-1"),
            VALID.replace("-01", "-011"),
            f"{VALID}-",
            f"01{VALID[2:]}-",
            f"01{VALID[2:]}-\xff",
            f"01{VALID[2:]}.",
            f"ff{VALID[2:]}",
            f"00-{0:032}-{1:016}-01",
            f"00-{1:032}-{0:016}-01",
        ],
    )
    def test_header_is_judged_by_grammar(self, header: str) -> None:
        """A header is a parent if it has the format."""
        assert is_valid(header.encode("latin-1")) is accepts(header.encode("latin-1"))

    @given(st.integers(0, len(VALID)), st.integers(0, 2), st.binary(max_size=2))
    def test_changed_header_is_judged_by_grammar(self, place: int, cut: int, new: bytes) -> None:
        """A header with a change anywhere is a parent if it still has the format."""
        valid = VALID.encode()
        header = valid[:place] + new + valid[place + cut :]

        assert is_valid(header) is accepts(header)

    @given(st.binary())
    def test_no_bytes_raise(self, header: bytes) -> None:
        """Any bytes are a parent or none."""
        assert is_valid(header) is accepts(header)

    @pytest.mark.parametrize("count", [0, 2, 3])
    def test_only_one_header_is_parent(self, count: int) -> None:
        """No header, and several headers, are no parent."""
        assert parse_traceparent([VALID.encode()] * count) is None

from __future__ import annotations

import pytest
from google.protobuf.wrappers_pb2 import UInt64Value
from hypothesis import example, given
from hypothesis import strategies as st

from otel_meta.runtime.export.encoding.protobuf_wire import varint, varint_tag

NUMBERS = st.integers(0, (1 << 64) - 1) | st.integers(0, 20_000)


class TestVarint:
    @example(number=127)
    @example(number=128)
    @example(number=2047)
    @example(number=2048)
    @given(number=NUMBERS)
    def test_protobuf_reads_same_number(self, number: int) -> None:
        """A field with any unsigned integer is read by protobuf as the same integer."""
        assert number == UInt64Value.FromString(varint_tag(1) + varint(number)).value

    @given(number=NUMBERS)
    def test_varint_has_no_needless_byte(self, number: int) -> None:
        """A varint has a byte for each seven bits of the number."""
        assert max(-(-number.bit_length() // 7), 1) == len(varint(number))

    def test_negative_number_is_refused(self) -> None:
        """A negative integer, which would need another encoding, is refused."""
        with pytest.raises(OverflowError, match="-1 is negative"):
            varint(-1)

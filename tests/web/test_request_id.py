from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.web.request_id import request_id

NEW = re.compile(r"[0-9a-f]{32}")
safe = st.text(string.ascii_letters + string.digits + "._~:/+=-", min_size=1, max_size=128)


class TestRequestId:
    @given(safe)
    def test_kept(self, text: str) -> None:
        """An id that does no harm is kept as it is."""
        assert text == request_id(text)

    @given(st.text(max_size=200))
    def test_any(self, text: str) -> None:
        """Whatever is sent, an id is short, one word, and safe in headers and logs."""
        own = request_id(text)

        assert own == text or NEW.fullmatch(own)
        assert re.fullmatch(r"[!-~]{1,128}", own)
        assert not set(own) & set("\"'\\<>{}%,;")

    @pytest.mark.parametrize(
        "hostile",
        [
            "",
            " ",
            "a b",
            "a\nb",
            "a\r\nset-cookie: x",
            "a\n",
            '"}',
            "\x1b[31m",
            "<script>",
            "é",
            "a" * 129,
            "a\x00",
            "../../etc passwd",
        ],
    )
    def test_replaced(self, hostile: str) -> None:
        """What could do harm is replaced by a new id."""
        assert NEW.fullmatch(request_id(hostile))

    def test_new(self) -> None:
        """No two new ids are the same."""
        assert 1000 == len({request_id("") for _ in range(1000)})

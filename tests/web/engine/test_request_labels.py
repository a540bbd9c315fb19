from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.web.engine.request_labels import request_labels


class TestRequestLabels:
    @pytest.mark.parametrize(
        ("scope", "labels"),
        [
            ({"method": "PUT", "scheme": "https"}, ("PUT", "https")),
            ({"method": "put", "scheme": "http"}, ("_OTHER", "http")),
            ({"method": "EVIL", "scheme": "https"}, ("_OTHER", "https")),
            ({"method": "GET", "scheme": "evil"}, ("GET", "http")),
            ({"method": "GET"}, ("GET", "http")),
            ({"scheme": "wss"}, ("GET", "http")),
        ],
    )
    def test_labels_are_among_few(self, scope: Any, labels: tuple[str, str]) -> None:
        """Method and scheme are among few values."""
        assert labels == request_labels(scope)

    @given(st.text(), st.text())
    def test_no_client_can_make_series(self, method: str, scheme: str) -> None:
        """No method and no scheme of a client makes a series of its own."""
        labels = request_labels({"method": method, "scheme": scheme})

        assert labels.scheme in {"http", "https"}
        assert labels.method in {"_OTHER", method}
        assert len(labels.method) <= 8

from __future__ import annotations

import pytest

from otel_meta.runtime.redaction import Redaction
from otel_meta.runtime.redaction.captured_headers import MAX_VALUE, MAX_VALUES, CapturedHeaders

PREFIX = "http.request.header."


def captured(*patterns: str, headers: list[tuple[bytes, bytes]]) -> dict[str, list[str]]:
    """Return the captured headers by name."""
    chosen = CapturedHeaders(Redaction(headers=["^x-iban"]), patterns, PREFIX)
    return {
        name.removeprefix(PREFIX): values for name, values in chosen.attributes(headers).items()
    }


class TestCapturedHeaders:
    def test_headers_of_patterns_are_captured_with_all_values(self) -> None:
        """Headers whose whole name matches a pattern are captured, with all their values."""
        headers = [(b"Accept", b"a"), (b"accept", b"b"), (b"accept-language", b"de"), (b"x-a", b"")]

        assert {"accept": ["a", "b"], "x-a": [""]} == captured("ACCEPT", "x-.*", headers=headers)

    def test_without_pattern_nothing_is_captured(self) -> None:
        """Without a pattern nothing is captured."""
        assert {} == captured(headers=[(b"accept", b"a")])

    @pytest.mark.parametrize(
        "name",
        [
            *("authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"),
            *("x-csrf-token", "x-client-secret", "x-session-id", "x-amz-signature"),
            *("x-iban", "www-authenticate"),
        ],
    )
    def test_secret_header_is_replaced_as_whole(self, name: str) -> None:
        """A header with the name of a secret is replaced as a whole."""
        headers = [(name.encode(), b"hunter2"), (name.encode(), b"hunter2")]

        assert {name: ["REDACTED"]} == captured(".*", headers=headers)

    def test_other_header_is_searched(self) -> None:
        """Another header is searched for secrets."""
        headers = [(b"referer", b"https://u:hunter2@shop/?a=hunter2")]

        assert {"referer": ["https://REDACTED@shop/?a=REDACTED"]} == captured(
            "referer", headers=headers
        )

    def test_values_and_names_are_bounded(self) -> None:
        """Values, their number and the number of remembered names are bounded."""
        chosen = CapturedHeaders(Redaction(), ["x"], "")
        (values,) = chosen.attributes([(b"x", b"a" * 200_000)] * 100).values()
        for number in range(3_000):
            chosen.attributes([(b"x%d" % number, b"")])

        assert [MAX_VALUE] * MAX_VALUES == [len(value) for value in values]
        assert len(vars(chosen)["_names"]) <= 1_024

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.redaction import (
    DEFAULT,
    MAX_PARAMETERS,
    MAX_QUERY,
    REDACTED,
    Redaction,
    redact_query,
)

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl"
SECRET_TEXTS = {
    "postgresql://shop:hunter2@db:5432/shop": "postgresql://REDACTED@db:5432/shop",
    "redis://:hunter2@cache": "redis://REDACTED@cache",
    "amqp://shop:hunter2@home@mq/": "amqp://REDACTED@mq/",
    "GET https://pay.example/charge?card=hunter2&x=1 failed": (
        "GET https://pay.example/charge?card=REDACTED failed"
    ),
    "&card=hunter2 in a form": "&card=REDACTED in a form",
    "/paid#card=hunter2": "/paid#card=REDACTED",
    "Authorization: Bearer hunter2": "Authorization: REDACTED",
    "authorization=Basic aHVudGVyMg==": "authorization=REDACTED",
    "got Bearer hunter2hunter2": "got Bearer REDACTED",
    "Cookie: id=hunter2; theme=dark": "Cookie: REDACTED",
    "password=hunter2": "password=REDACTED",
    "db_password='hunter2'": "db_password=REDACTED",
    '{"password": "hunter2", "name": "ann"}': '{"password": REDACTED, "name": "ann"}',
    '[{\\"client_secret\\": \\"hunter2\\"}]': '[{\\"client_secret\\": REDACTED}]',
    "User(name='ann', password='hunter2')": "User(name='ann', password=REDACTED)",
    "token=hunter2": "token=REDACTED",
    "curl --api-key hunter2 https://x": "curl --api-key REDACTED https://x",
    f"refused {JWT}": "refused REDACTED",
    "key AKIAHUNTER2HUNTER222": "key REDACTED",
    "ghp_hunter2hunter2hunter2hunter2hunter2A": "REDACTED",
    "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----": "REDACTED",
    "-----BEGIN PRIVATE KEY-----\nhunter2\nhunter2": "REDACTED",
}
HARMLESS_TEXTS = (
    "order 7 of ann@example.com: paid",
    "KeyError: 'secretary'",
    "token_count=7 tokens: 12",
    "see https://example.com/a/b",
    "a == b and c != d",
    "through the gh gate -- a monkey: ok",
    "expected key: value",
)
SECRET_NAMES = (
    *("password", "passwd", "db.password", "user_password", "newPassword", "passphrase"),
    *("authorization", "http.request.header.authorization", "http.request.header.set-cookie"),
    *("cookie", "secret", "client_secret", "api_key", "x-api-key", "apiKey", "private_key"),
    *("token", "access_token", "sessionToken", "id-token", "credentials", "PASSWORD"),
)
HARMLESS_NAMES = (
    *("user", "token_count", "gen_ai.usage.input_tokens", "secretary", "keyboard", "key"),
    *("session_id", "url.path", "email"),
)


class TestText:
    @pytest.mark.parametrize("text", SECRET_TEXTS)
    def test_secret_in_text_is_replaced(self, text: str) -> None:
        """A secret in a text is replaced, and the text around stays."""
        assert SECRET_TEXTS[text] == DEFAULT.text(text)

    @pytest.mark.parametrize("text", HARMLESS_TEXTS)
    def test_text_without_secret_stays(self, text: str) -> None:
        """A text without a secret stays."""
        assert text == DEFAULT.text(text)

    @given(st.sampled_from(sorted(SECRET_TEXTS)), st.text(max_size=40), st.text(max_size=40))
    def test_redacted_text_is_redacted_again_to_itself(
        self, secret: str, before: str, after: str
    ) -> None:
        """A redacted text is redacted again to itself, so that two processes agree."""
        once = DEFAULT.text(f"{before} {secret} {after}")

        assert once == DEFAULT.text(once)

    @pytest.mark.parametrize("text", [text for text in SECRET_TEXTS if "ghp_" not in text])
    def test_message_finds_same_secrets(self, text: str) -> None:
        """A message of a log line is redacted as any text."""
        if any(sign in text for sign in (":", "=", "eyJ", "earer ")):
            assert SECRET_TEXTS[text] == DEFAULT.message(text)

    def test_long_text_is_searched_in_linear_time(self) -> None:
        """A long text of signs without a secret is searched once."""
        text = "password " * 20_000

        assert text == DEFAULT.text(text)


class TestNames:
    @pytest.mark.parametrize("name", SECRET_NAMES)
    def test_value_of_secret_name_is_replaced(self, name: str) -> None:
        """The value of a field or attribute with the name of a secret is replaced."""
        assert {name: REDACTED, "user": "ann"} == DEFAULT.attributes({name: "x", "user": "ann"})

    @pytest.mark.parametrize("name", HARMLESS_NAMES)
    def test_value_of_other_name_stays(self, name: str) -> None:
        """The value of another name stays, and the attributes are not copied."""
        given = {name: "x"}

        assert DEFAULT.attributes(given) is given

    @pytest.mark.parametrize("value", [None, "", True, False, 0, ()])
    def test_value_that_cannot_be_secret_stays(self, value: Any) -> None:
        """Nothing, None and booleans stay: they tell whether there was a secret."""
        assert {"password": value} == DEFAULT.attributes({"password": value})

    @pytest.mark.parametrize("value", [7, b"x", ("a", "b"), 1.5])
    def test_secret_of_any_type_is_replaced(self, value: Any) -> None:
        """A secret of any type is replaced."""
        assert {"token": REDACTED} == DEFAULT.attributes({"token": value})

    def test_further_names_are_secrets_in_fields_and_texts(self) -> None:
        """Further names are names of secrets, in attributes and in texts, with any separator."""
        redaction = Redaction(["iban", "customer.phone"])

        assert {"iban": REDACTED, "customer_phone": REDACTED} == redaction.attributes(
            {"iban": "DE1", "customer_phone": "555"}
        )
        assert "iban=REDACTED, customer.phone: REDACTED" == redaction.text(
            "iban=DE1, customer.phone: 555"
        )

    def test_flood_of_names_keeps_memory_bounded(self) -> None:
        """A flood of names keeps the number of remembered names bounded."""
        redaction = Redaction()
        redaction.attributes({f"name{number}": 1 for number in range(5_000)})

        assert len(redaction.rules) <= 1_024


class TestAttributes:
    def test_urls_lose_credentials_values_and_fragment(self) -> None:
        """URLs lose credentials, values of parameters and the fragment."""
        assert {
            "url.full": "https://REDACTED@h/p?a=REDACTED&b=REDACTED",
            "http.target": "/p?a=REDACTED",
            "url.query": "a=REDACTED",
            "messaging.destination": "amqp://REDACTED@h",
        } == DEFAULT.attributes(
            {
                "url.full": "https://u:p@h/p?a=1&b=2#token=3",
                "http.target": "/p?a=1",
                "url.query": "a=1",
                "messaging.destination": "amqp://u:p@h",
            }
        )

    def test_exception_is_searched(self) -> None:
        """The texts of an exception are searched."""
        given = {"exception.message": "password=x", "exception.stacktrace": "E: password=x"}

        assert {
            "exception.message": "password=REDACTED",
            "exception.stacktrace": "E: password=REDACTED",
        } == DEFAULT.attributes(given)

    def test_lists_of_texts_are_searched(self) -> None:
        """Lists of texts, such as the arguments of a command, are searched."""
        assert {"arguments": ("--password=REDACTED", "shop")} == DEFAULT.attributes(
            {"arguments": ("--password=x", "shop")}
        )

    def test_without_redaction_everything_but_query_stays(self) -> None:
        """Without redaction everything stays, except for the values of a query string."""
        given = {"password": "x", "url.full": "https://u:p@h/", "exception.message": "token=x"}
        redaction = Redaction(enabled=False)

        assert redaction.attributes(given) is given
        assert {"url.query": "a=REDACTED"} == redaction.attributes({"url.query": "a=1"})


class TestQuery:
    @pytest.mark.parametrize(
        ("query", "shown"),
        [
            (b"", ""),
            (b"a=1&b=2", "a=REDACTED&b=REDACTED"),
            (b"a=1=2", "a=REDACTED"),
            (b"hunter2", "REDACTED"),
            (b"a=1&hunter2&", "a=REDACTED&REDACTED&REDACTED"),
            (b"\xff=1", "\xff=REDACTED"),
        ],
    )
    def test_names_stay_and_values_are_replaced(self, query: bytes, shown: str) -> None:
        """Names stay, values are replaced, and a part without a name is a value."""
        assert shown == redact_query(query)

    @given(st.binary(max_size=200))
    def test_no_value_is_shown(self, query: bytes) -> None:
        """No value of any query string is shown."""
        assert {REDACTED} >= {part.partition("=")[2] or REDACTED for part in _parts(query)}

    def test_length_is_bounded(self) -> None:
        """A query string of any length is bounded in length and in parameters."""
        assert len(redact_query(b"a=1&" * 100_000)) < MAX_PARAMETERS * 12
        assert len(redact_query(b"a" * 100_000 + b"=1")) <= MAX_QUERY


def _parts(query: bytes) -> list[str]:
    return redact_query(query).split("&") if query else []

"""Connections: what is refused at once, and what no message shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from otel_meta.errors import UsageError
from otel_meta.fleet.connection import Connection


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("http://host:9090", "http://host:9090"),
        (" https://host/prometheus/ ", "https://host/prometheus"),
        ("https://ann:secret@host:8443/x/", "https://host:8443/x"),
        ("http://[::1]:9090/", "http://[::1]:9090"),
    ],
)
def test_url_is_shown_without_credentials_and_final_slash(url: str, plain: str) -> None:
    """The URL of a connection has neither credentials nor a final slash."""
    assert plain == Connection(url).url


def test_user_that_is_given_has_precedence_over_the_url() -> None:
    """A given user has precedence over the name and password in the URL."""
    assert ("bob", "b") == Connection("http://ann:a@host", user=("bob", "b")).user


@pytest.mark.parametrize(
    ("url", "options", "wrong"),
    [
        ("localhost:9090", {}, "is not a URL; write it as http://host:9090"),
        ("ftp://ann:secret@host", {}, "'host' is not a URL"),
        ("http://", {}, "is not a URL"),
        ("http://[::1", {}, "is not a URL"),
        ("http://a b", {}, "is not a URL"),
        ("http://host:port", {}, "is not a URL"),
        ("http://host/?token=secret", {}, "give the base URL, without"),
        ("http://host", {"token": "secret", "user": ("a", "secret")}, "has a token and a user"),
        ("http://a:secret@host", {"token": "secret"}, "has a token and a user"),
        ("http://host", {"token": "secret\n"}, "the header 'Authorization' has a character"),
        ("http://host", {"headers": {"X Y": "secret"}}, "the header 'X Y' has a character"),
        ("http://host", {"timeout": 0}, "a time-out of 0 s"),
        ("http://host", {"timeout": float("nan")}, "a time-out of nan s"),
        ("http://host", {"ca_file": "missing.pem"}, "CA file missing.pem: No such file"),
        ("http://host", {"ca_file": Path(__file__)}, "has no certificate in the form PEM"),
    ],
)
def test_mistake_is_refused_at_once_without_showing_a_secret(
    url: str, options: dict[str, Any], wrong: str
) -> None:
    """A mistake is an error of one line at once, which shows no secret."""
    with pytest.raises(UsageError) as caught:
        Connection(url, **options)

    assert wrong in str(caught.value)
    assert "secret" not in str(caught.value)
    assert 1 == len(str(caught.value).splitlines())


def test_repr_has_no_secret() -> None:
    """The repr has neither token, password nor headers."""
    shown = repr(Connection("http://h", token="secret", headers={"X-Key": "secret"}))

    assert "secret" not in shown

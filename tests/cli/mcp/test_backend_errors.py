"""The tools with a server that is down, refuses, or repeats credentials: one line each."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import pytest

from otel_meta.testing.loopback import free_port
from tests.cli.mcp.mcp_client import ToolClient, tool_client
from tests.fleet.http_answers import head_of, refusal
from tests.runtime.export.raw_server import RawServer, http

SLO = "aurora-api-availability"
BASIC = base64.b64encode(b"reader:pa55word").decode()
CREDENTIALS: Mapping[tuple[str, ...], str] = {
    ("--token", "t0ken-of-tests"): "t0ken-of-tests",
    ("--user", "reader", "--password", "pa55word"): BASIC,
    ("--header", "X-Key=k3y-of-tests"): "k3y-of-tests",
}
"""Options with a credential, and the text that is sent."""


def errors(client: ToolClient) -> list[str]:
    """Return the errors of the tools that ask a server."""
    return [client.error("list_slos"), client.error("explain_burn", slo=SLO)]


def test_server_that_is_down_is_one_line() -> None:
    """A server that is down is one line with its URL, and the other tools still answer."""
    url = f"http://127.0.0.1:{free_port()}"
    with tool_client("--prometheus", url) as client:
        for error in errors(client):
            assert f"{url}: cannot be reached" in error
            assert 1 == len(error.splitlines())
        assert client.answer("find_metric", text="orders.placed")["metrics"]


def test_server_that_never_answers_is_given_up() -> None:
    """A server that accepts and never answers is given up after the time-out."""
    with (
        RawServer(b"") as server,
        tool_client("--prometheus", server.url, "--timeout", "0.2") as client,
    ):
        assert "does not answer within 0.2 s" in client.error("list_slos")


@pytest.mark.parametrize(("options", "sent"), CREDENTIALS.items(), ids=str)
def test_credentials_are_never_repeated(options: tuple[str, ...], sent: str) -> None:
    """A server that repeats the credentials of the request in its error does not reveal them."""
    said = refusal(f"denied for {sent} and pa55word")
    with (
        RawServer(http("403 Forbidden", said)) as server,
        tool_client("--prometheus", server.url, *options) as client,
    ):
        shown = " ".join(errors(client))

    assert sent in " ".join(head_of(server.requests[0]))
    assert "denied for [hidden] and" in shown
    assert sent not in shown
    assert "--password" not in options or "pa55word" not in shown


def test_credential_that_is_cut_is_not_repeated() -> None:
    """A credential at the place where the text of a server is cut is not repeated in part."""
    said = refusal(f"{'x' * 189} t0ken-of-tests")
    with (
        RawServer(http("403 Forbidden", said)) as server,
        tool_client("--prometheus", server.url, "--token", "t0ken-of-tests") as client,
    ):
        shown = client.error("list_slos")

    assert "xxx [hidden]…" in shown
    assert "t0k" not in shown


@pytest.mark.parametrize(("argument", "text"), [("over", "an hour"), ("at", "yesterday")])
def test_wrong_time_is_one_line(argument: str, text: str) -> None:
    """A time of another form is one line with its name, and the server is not asked."""
    with RawServer(b"") as server, tool_client("--prometheus", server.url) as client:
        error = client.error("explain_burn", slo=SLO, **{argument: text})

    assert f"explain_burn: {argument}: '{text}' is not a time such as" in error
    assert not server.requests

"""One request to a server, whose answer is limited in time and size."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final, NamedTuple

from otel_meta.extras import ExtraImports

from .answers import WrongAnswer
from .connection import Connection
from .failures import no_answer, wrong_answer

with ExtraImports("cli", "Asking a server"):
    import httpx

_MEGABYTE: Final = 1024 * 1024
_LARGEST: Final = 256
"""Megabytes of an answer."""


class HttpAnswer(NamedTuple):
    """The answer to a request."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def send(
    connection: Connection,
    url: str,
    form: Mapping[str, str] | None = None,
    *,
    follow_redirects: bool = False,
) -> HttpAnswer:
    """Send a request: a POST with a form, or else a GET.

    The request has a connection of its own, so that nothing needs to be closed.

    Args:
        connection: how the server is reached.
        url: the address, below that of the server.
        form: the fields of a form.
        follow_redirects: whether the answer of another address counts.

    Raises:
        BackendError: there is no answer, or one that does not end.
    """
    try:
        with (
            httpx.Client(
                auth=connection.user,
                headers=connection.request_headers,
                verify=connection.certificates,
                timeout=connection.timeout,
                follow_redirects=follow_redirects,
            ) as client,
            client.stream("GET" if form is None else "POST", url, data=form) as response,
        ):
            return HttpAnswer(response.status_code, response.headers, _body(connection, response))
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # of names and credentials
        raise no_answer(connection, error) from error
    except WrongAnswer as wrong:
        raise wrong_answer(connection, wrong) from wrong


def _body(connection: Connection, response: httpx.Response) -> bytes:
    until = time.monotonic() + connection.timeout
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if time.monotonic() > until:
            raise httpx.ReadTimeout("the answer does not end")
        if len(body) > _LARGEST * _MEGABYTE:
            raise WrongAnswer(f"answers with more than {_LARGEST} MB")
    return bytes(body)

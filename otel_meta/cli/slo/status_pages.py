"""The statuses on the /slo pages of services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from itertools import chain
from typing import Any, Final, NotRequired, cast, get_args, get_origin, get_type_hints

import httpx

from otel_meta.errors import BackendError
from otel_meta.fleet.connection import Connection
from otel_meta.fleet.failures import no_answer
from otel_meta.status.status import State
from otel_meta.status.status_json import StatusJson

from .found_statuses import FoundStatuses

_PATH: Final = "/slo"
_AT_ONCE: Final = 16
"""Pages that are read at the same time."""
_REQUIRED: Final = {
    key
    for key, kind in get_type_hints(StatusJson, include_extras=True).items()
    if get_origin(kind) is not NotRequired
}
_NO_LABELS: Final = ("slos", "hint", "corrections", "age_seconds", "problem")
"""Keys of a page beside the labels of the service."""
_MENDED: Final[Mapping[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "give --token, or set OTEL_META_PROMETHEUS_TOKEN, as the service has",
    HTTPStatus.FORBIDDEN: "give a token that may read the page",
    HTTPStatus.NOT_FOUND: "name the base URL of a service, or its /slo page",
}


def read_pages(services: Sequence[Connection]) -> FoundStatuses:
    """Read the pages at the same time; a page that cannot be read is a problem.

    Args:
        services: base URLs of services, or URLs of the pages.
    """
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        pages = [*threads.map(_read_page, services)]
    return FoundStatuses(
        rows=tuple(chain.from_iterable(page.rows for page in pages)),
        notes=tuple(chain.from_iterable(page.notes for page in pages)),
        problems=tuple(chain.from_iterable(page.problems for page in pages)),
    )


def page_url(base: str) -> str:
    """Return the URL of the page of a service, given the base URL or the page itself."""
    return base if base.endswith(_PATH) else base + _PATH


def _read_page(service: Connection) -> FoundStatuses:
    url = page_url(service.url)
    try:
        page = _page(url, service)
        return FoundStatuses(rows=tuple(_rows(url, page)), notes=tuple(_hints(url, page)))
    except BackendError as error:
        return FoundStatuses(problems=(str(error),))


def _page(url: str, service: Connection) -> Mapping[str, Any]:
    """Fetch a page.

    Raises:
        BackendError: there is no answer, or the answer is no page of SLOs.
    """
    response = _response(url, service)
    if response.is_error:
        mended = _MENDED.get(response.status_code, "look into the log of the service")
        raise BackendError(f"{url}: answers {response.status_code}; {mended}")
    try:
        page = response.json()
    except ValueError as error:
        raise BackendError(f"{url}: answers with no JSON; {_MENDED[404]}") from error
    if not isinstance(page, dict) or not isinstance(page.get("slos"), list):
        raise BackendError(f"{url}: answers without SLOs; {_MENDED[404]}")
    return cast("Mapping[str, Any]", page)


def _response(url: str, service: Connection) -> httpx.Response:
    try:
        with httpx.Client(
            auth=service.user,
            headers=service.request_headers,
            verify=service.certificates,
            timeout=service.timeout,
            follow_redirects=True,
        ) as client:
            return client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise no_answer(service, error) from error


def _rows(url: str, page: Mapping[str, Any]) -> Iterable[StatusJson]:
    labels = {name: str(value) for name, value in page.items() if name not in _NO_LABELS}
    for row in page["slos"]:
        missing = _REQUIRED - {*row} if isinstance(row, dict) else {"name"}
        if missing:
            raise BackendError(
                f"{url}: an SLO has no {min(missing)}; the service has another version of otel_meta"
            )
        if row["state"] not in get_args(State):
            raise BackendError(f"{url}: an SLO has a state of a newer otel_meta; update this one")
        yield cast("StatusJson", {**row, "service": labels | row["service"]})


def _hints(url: str, page: Mapping[str, Any]) -> Iterable[str]:
    if not page["slos"]:
        yield f"{url}: {page.get('hint', 'the service tracks no SLO')}"

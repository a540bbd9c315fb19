"""The statuses on the /slo pages of services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, Final, cast

import httpx

from otel_meta.errors import BackendError
from otel_meta.status.status_json import StatusJson

from .found_statuses import FoundStatuses

_PATH: Final = "/slo"
_AT_ONCE: Final = 16
"""Pages that are read at the same time."""
_NO_LABELS: Final = ("slos", "hint")
"""Keys of a page beside the labels of the service."""


def read_pages(urls: Sequence[str], client: httpx.Client) -> FoundStatuses:
    """Read the pages at the same time; a page that cannot be read is a problem.

    Args:
        urls: base URLs of services, or URLs of the pages.
        client: sends the token, and has the time-out.
    """
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        pages = [*threads.map(lambda url: _read_page(url, client), urls)]
    return FoundStatuses(
        rows=tuple(chain.from_iterable(page.rows for page in pages)),
        notes=tuple(chain.from_iterable(page.notes for page in pages)),
        problems=tuple(chain.from_iterable(page.problems for page in pages)),
    )


def page_url(url: str) -> str:
    """Return the URL of the page of a service, given the base URL or the page itself."""
    base = url.rstrip("/")
    return base if base.endswith(_PATH) else base + _PATH


def _read_page(given: str, client: httpx.Client) -> FoundStatuses:
    url = page_url(given)
    try:
        page = _fetch(url, client)
        return FoundStatuses(rows=tuple(_rows(url, page)), notes=tuple(_hints(url, page)))
    except BackendError as error:
        return FoundStatuses(problems=(str(error),))


def _fetch(url: str, client: httpx.Client) -> Mapping[str, Any]:
    try:
        response = client.get(url, headers={"accept": "application/json"})
    except httpx.TimeoutException as error:
        limit = client.timeout.read
        raise BackendError(f"{url}: no answer within {limit:g} s; give --timeout") from error
    except (httpx.HTTPError, OSError, ValueError) as error:
        raise BackendError(f"{url}: cannot be asked: {error}") from error
    if response.is_error:
        raise BackendError(f"{url}: {_refusal(response)}")
    try:
        page = response.json()
    except ValueError as error:
        raise BackendError(f"{url}: the answer is not JSON; name the /slo page") from error
    if not isinstance(page, dict) or not isinstance(page.get("slos"), list):
        raise BackendError(f"{url}: the answer has no SLOs; name the /slo page of a service")
    return cast("Mapping[str, Any]", page)


def _refusal(response: httpx.Response) -> str:
    status = f"answers {response.status_code} {response.reason_phrase}"
    fixes = {
        401: "give --token, or set OTEL_META_PROMETHEUS_TOKEN, the token of the service",
        403: "the token may not read the page",
        404: "name the base URL of a service, or its /slo page",
    }
    fix = fixes.get(response.status_code)
    return f"{status}; {fix}" if fix else status


def _rows(url: str, page: Mapping[str, Any]) -> Iterable[StatusJson]:
    labels = {name: str(value) for name, value in page.items() if name not in _NO_LABELS}
    for row in page["slos"]:
        missing = StatusJson.__required_keys__ - {*row} if isinstance(row, dict) else {"name"}
        if missing:
            raise BackendError(
                f"{url}: an SLO has no {min(missing)}; the service has another version of otel_meta"
            )
        yield cast("StatusJson", {**row, "service": labels | row["service"]})


def _hints(url: str, page: Mapping[str, Any]) -> Iterable[str]:
    if not page["slos"]:
        yield f"{url}: {page.get('hint', 'the service tracks no SLO')}"

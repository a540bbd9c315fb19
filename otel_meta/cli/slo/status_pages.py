"""The statuses on the /slo pages of services."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from itertools import chain
from typing import Final, NotRequired, TypedDict, cast, get_args

from otel_meta.errors import BackendError
from otel_meta.fleet.connection import Connection
from otel_meta.fleet.http_request import send
from otel_meta.status.corrections_json import CorrectionJson
from otel_meta.status.status import State
from otel_meta.status.status_json import StatusJson

from .found_statuses import FoundStatuses
from .plain_form import wrong_key

_PATH: Final = "/slo"
_AT_ONCE: Final = 16
"""Pages that are read at the same time."""
_MENDED: Final[Mapping[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "give --token, or set OTEL_META_PROMETHEUS_TOKEN, as the service has",
    HTTPStatus.FORBIDDEN: "give a token that may read the page",
    HTTPStatus.NOT_FOUND: "name the base URL of a service, or its /slo page",
}


class _Page(TypedDict):
    """The JSON of a page; the rows are checked one by one."""

    slos: list[object]
    corrections: NotRequired[list[CorrectionJson]]
    hint: NotRequired[str]


def read_pages(services: Sequence[Connection]) -> FoundStatuses:
    """Read the pages at the same time; a page that cannot be read is a problem.

    Args:
        services: base URLs of services, or URLs of the pages.
    """
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        pages = [*threads.map(_read_page, services)]
    return FoundStatuses(
        rows=tuple(chain.from_iterable(page.rows for page in pages)),
        corrections=tuple(_once(chain.from_iterable(page.corrections for page in pages))),
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
        return FoundStatuses(
            rows=tuple(_rows(url, page)),
            corrections=tuple(page.get("corrections", ())),
            notes=tuple(_hints(url, page)),
        )
    except BackendError as error:
        return FoundStatuses(problems=(str(error),))


def _page(url: str, service: Connection) -> _Page:
    """Fetch a page.

    Raises:
        BackendError: there is no answer, or the answer is no page of SLOs.
    """
    answer = send(service, url, follow_redirects=True)
    if answer.status != HTTPStatus.OK:
        mended = _MENDED.get(answer.status, "look into the log of the service")
        raise BackendError(f"{url}: answers {answer.status}; {mended}")
    try:
        page = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise BackendError(f"{url}: answers with no JSON; {_MENDED[404]}") from error
    if not isinstance(page, dict) or "slos" not in page:
        raise BackendError(f"{url}: answers without SLOs; {_MENDED[404]}")
    answered = cast("_Page", page)
    _check(f"{url}: the answer", answered, _Page)
    return answered


def _rows(url: str, page: _Page) -> Iterable[StatusJson]:
    for row in page["slos"]:
        _check(f"{url}: an SLO", row, StatusJson)
        status = cast("StatusJson", row)
        if status["state"] not in get_args(State):
            raise BackendError(f"{url}: an SLO has a state of a newer otel_meta; update this one")
        yield status


def _check(what: str, value: object, form: type) -> None:
    wrong = wrong_key(value, form)
    if wrong is not None:
        problem = f"{what} has no {wrong}, or in another form"
        raise BackendError(f"{problem}; the service has another version of otel_meta")


def _once(corrections: Iterable[CorrectionJson]) -> list[CorrectionJson]:
    """Return corrections without those that several services repeat."""
    found: list[CorrectionJson] = []
    found += (each for each in corrections if each not in found)
    return found


def _hints(url: str, page: _Page) -> Iterable[str]:
    if not page["slos"]:
        yield f"{url}: {page.get('hint', 'the service tracks no SLO')}"

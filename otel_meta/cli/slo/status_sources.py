"""Where a command finds statuses: on pages of services, or at the server of the fleet."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from otel_meta.cli.catalog_loader import load_catalog
from otel_meta.cli.project.asked_server import ca_file, secret, server_connection, timeout
from otel_meta.cli.project.project import Project
from otel_meta.errors import UsageError
from otel_meta.fleet.connection import Connection
from otel_meta.fleet.fleet_statuses import Fleet
from otel_meta.fleet.prometheus_api import PrometheusApi
from otel_meta.model.arguments import did_you_mean
from otel_meta.model.identity import SERVICE
from otel_meta.status.corrections_json import corrections_json
from otel_meta.status.slo_links import with_links
from otel_meta.status.status_json import status_json

from .found_statuses import FoundStatuses
from .selection import SERVE, Selection
from .status_pages import read_pages

Source = Callable[[], FoundStatuses]
_TOKEN_OF_SERVICES: Final = "OTEL_META_PROMETHEUS_TOKEN"  # noqa: S105  # the name of a variable


def pages_source(
    project: Project, urls: Sequence[str], selection: Selection, *, is_token_given: bool
) -> Source:
    """Return a source of the pages of services.

    The variables with credentials of the server are not for services, so that they are not sent.

    Args:
        project: with the time-out and the trusted certificates.
        urls: base URLs of services, or of their pages.
        selection: the statuses to return.
        is_token_given: whether the command line has the token.

    Raises:
        UsageError: a URL is wrong.
    """
    token = secret(project, "server.token") if is_token_given else None
    services = [
        Connection(
            _checked(url),
            token=token or os.environ.get(_TOKEN_OF_SERVICES) or None,
            ca_file=ca_file(project),
            timeout=timeout(project),
        )
        for url in urls
    ]
    return lambda: _selected(read_pages(services), selection)


def fleet_source(project: Project, selection: Selection) -> Source:
    """Return a source of the fleet's statuses.

    Raises:
        UsageError: no server is named, or a declaration cannot be loaded.
    """
    fleet = Fleet(PrometheusApi(server_connection(project)), project.options)
    catalog = load_catalog(project)
    corrections = tuple(corrections_json(project.corrections))
    only = dict.fromkeys([SERVICE], *selection.services) if len(selection.services) == 1 else {}

    def find() -> FoundStatuses:
        answer = fleet.answer(catalog, selection.slos, only)
        rows = with_links(map(status_json, answer.statuses), project.slo_links, time.time())
        found = FoundStatuses(rows=tuple(rows), corrections=corrections, notes=answer.notes)
        return _selected(found, selection)

    return find


def _selected(found: FoundStatuses, selection: Selection) -> FoundStatuses:
    return replace(found, rows=tuple(filter(selection.includes, found.rows)))


def _checked(url: str) -> str:
    if "://" not in url:
        near = did_you_mean(url, [SERVE]) or f"; write it as http://{url}"
        raise UsageError(f"{url!r} is not a URL{near}")
    return url

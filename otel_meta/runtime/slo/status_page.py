"""The page /slo: the status of each SLO as JSON or HTML, in the application and on the port."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

import orjson
from opentelemetry.sdk.resources import Resource

from otel_meta.runtime.prometheus.handler import (
    UNAUTHORIZED,
    BearerToken,
    Response,
    ScrapeRequest,
)
from otel_meta.runtime.resource import identity_labels
from otel_meta.runtime.settings import Settings
from otel_meta.status.corrections_json import corrections_json
from otel_meta.status.page.html_page import render_page
from otel_meta.status.page.page_context import PageContext
from otel_meta.status.page.representation import represented
from otel_meta.status.slo_links import with_links
from otel_meta.status.status_json import StatusJson, status_json

from .tracker import SloTracker

PATH: Final = "/slo"
NO_SLOS: Final = (
    "no SLO is tracked: give configure() a meta-repository, as in configure('my-service', Aurora), "
    "name one by OTEL_META_REPO, or bind one, as in telemetry.bind(Aurora)"
)


class SloPage:
    """Handles requests of the page.

    Args:
        settings: with the token of every request, and the bases of links.
        resource: the resource of the process.
        tracker: tracks the SLOs.
    """

    def __init__(self, settings: Settings, resource: Resource, tracker: SloTracker) -> None:
        self._settings: Final = settings
        self._tracker: Final = tracker
        self._token: Final = BearerToken(settings.prometheus_token)
        self._service: Final[Mapping[str, str]] = {
            "service_name": settings.service_name,
            "service_namespace": settings.namespace,
            **identity_labels(resource, settings),
        }
        self._corrections: Final = [
            each for each in settings.corrections if each.is_of(self._service)
        ]

    def is_allowed(self, request: ScrapeRequest) -> bool:
        """Return True if a request has the token, or no token is needed."""
        return self._token.is_in(request.authorization)

    def handle(self, request: ScrapeRequest) -> Response:
        """Respond with the page."""
        if not self.is_allowed(request):
            return UNAUTHORIZED
        now = time.time()
        rows = self._rows(now)
        page = represented(
            request.accept,
            request.query,
            render_json=lambda: self._json(rows),
            render_html=lambda: render_page(rows, self._context(now)),
        )
        return Response(*page)

    def _rows(self, now: float) -> list[StatusJson]:
        """Return the statuses with the labels of this service, as a server of metrics has them."""
        rows = map(status_json, self._tracker.statuses())
        service = {name: value for name, value in self._service.items() if value}
        labelled: list[StatusJson] = [{**row, "service": row["service"] or service} for row in rows]
        return with_links(labelled, self._settings.slo_links, now)

    def _json(self, rows: Sequence[StatusJson]) -> bytes:
        page: dict[str, object] = {
            **self._service,
            "slos": rows,
            "corrections": corrections_json(self._corrections),
        }
        if not rows:
            page["hint"] = NO_SLOS
        return orjson.dumps(page)

    def _context(self, now: float) -> PageContext:
        places = {name: text for name, text in self._service.items() if name != "service_name"}
        return PageContext(
            title=f"SLOs of {self._settings.service_name}",
            measured_at=now,
            now=now,
            place=places,
            hint=NO_SLOS,
            corrections=self._corrections,
        )

"""The page /slo: the status of each SLO as JSON, in the application and on the separate port."""

from __future__ import annotations

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
from otel_meta.status.status_json import status_json

from .tracker import SloTracker

PATH: Final = "/slo"
NO_SLOS: Final = (
    "no SLO is tracked: give configure() a meta-repository, as in configure('my-service', Aurora), "
    "name one by OTEL_META_REPO, or bind one, as in telemetry.bind(Aurora)"
)


class SloPage:
    """Handles requests of the page.

    Args:
        settings: with the token of every request.
        resource: the resource of the process.
        tracker: tracks the SLOs.
    """

    def __init__(self, settings: Settings, resource: Resource, tracker: SloTracker) -> None:
        self._settings: Final = settings
        self._resource: Final = resource
        self._tracker: Final = tracker
        self._token: Final = BearerToken(settings.prometheus_token)

    def is_allowed(self, request: ScrapeRequest) -> bool:
        """Return True if a request has the token, or no token is needed."""
        return self._token.is_in(request.authorization)

    def handle(self, request: ScrapeRequest) -> Response:
        """Respond with the page."""
        if not self.is_allowed(request):
            return UNAUTHORIZED
        return Response(200, {"content-type": "application/json"}, self._render())

    def _render(self) -> bytes:
        page: dict[str, object] = {
            "service_name": self._settings.service_name,
            "service_namespace": self._settings.namespace,
            **identity_labels(self._resource, self._settings),
            "slos": [status_json(status) for status in self._tracker.statuses()],
        }
        if not page["slos"]:
            page["hint"] = NO_SLOS
        return orjson.dumps(page)

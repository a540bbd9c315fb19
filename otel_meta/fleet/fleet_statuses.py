"""The status of every SLO of every service, from the recordings of one server."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, NamedTuple

from otel_meta.errors import BackendError
from otel_meta.model import Catalog
from otel_meta.render.options import Options
from otel_meta.status.status import Status

from .fleet_notes import listed, notes
from .last_seen import last_seen
from .prometheus_api import PrometheusApi
from .recorded_status import absent_status, recorded_status
from .recordings import read
from .slo_keys import Asked

_DEFAULT: Final = Options()


class FleetAnswer(NamedTuple):
    """The statuses, and what else a person should know of the server."""

    statuses: tuple[Status, ...]
    notes: tuple[str, ...]
    """Sentences: SLOs that the catalogue does not declare, or that no service has."""


class Fleet:
    """The services of a Prometheus, Thanos, Mimir or VictoriaMetrics with the generated rules."""

    def __init__(
        self,
        api: PrometheusApi,
        options: Options = _DEFAULT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Remember the server.

        Args:
            api: the server.
            options: the choices with which the rules were generated; the labels of a service.
            clock: the time of the answer, in seconds since 1970.
        """
        self._api: Final = api
        self._options: Final = options
        self._clock: Final = clock

    def statuses(
        self,
        catalog: Catalog,
        slos: Iterable[str] = (),
        services: Mapping[str, str] = {},
    ) -> tuple[Status, ...]:
        """Return the status of each SLO of each service, as `answer` does."""
        return self.answer(catalog, slos, services).statuses

    def answer(
        self,
        catalog: Catalog,
        slos: Iterable[str] = (),
        services: Mapping[str, str] = {},
    ) -> FleetAnswer:
        """Return the status of each SLO of each service, and notes.

        An SLO that a service had in the last week, but has no more, has no data; so has an SLO
        that is named and that no service has.

        Args:
            catalog: the declarations.
            slos: names of SLOs; empty means all SLOs.
            services: labels of the services, such as service_name; empty means all services.

        Raises:
            BackendError: the server cannot be asked, or has no recordings of the catalogue.
            UsageError: there is no such SLO or label.
        """
        asked = Asked(catalog, slos, services, self._options)
        at = int(self._clock())
        seen = last_seen(self._api, asked, at)
        self._refuse_other_recordings(seen.names, asked)
        recorded = read(self._api, asked, at)
        rows = [
            recorded_status(asked, key, recorded, at, is_fresh=seen.is_fresh(key))
            for key in seen.times
        ]
        absent = {*asked.named} - {key.slo for key in seen.times}
        rows += (absent_status(asked, name) for name in sorted(absent))
        return FleetAnswer(tuple(rows), tuple(notes(asked, seen)))

    def _refuse_other_recordings(self, names: Collection[str], asked: Asked) -> None:
        """Refuse a server without recordings of the catalogue's SLOs."""
        if not names:
            raise BackendError(
                f"{self._api.url}: has none of the recordings slo:* of the last week; write the "
                "rules with `otel-meta generate`, and load the folder rules/ into the server that "
                "evaluates rules"
            )
        if not any(map(asked.is_known, names)):
            raise BackendError(
                f"{self._api.url}: has recordings of other SLOs alone ({listed(names)}); name "
                "their meta-repositories"
            )

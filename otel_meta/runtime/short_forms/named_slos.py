"""SLOs that are declared by name in a dictionary: a short form of a meta-repository."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import new_class
from typing import Final, Literal, NotRequired, TypedDict, get_args, get_type_hints

from otel_meta.errors import DeclarationError
from otel_meta.model import Counter, MetaRepo, Slo, labels
from otel_meta.model.arguments import did_you_mean, expect_number, expect_type
from otel_meta.runtime.configure import configure
from otel_meta.runtime.telemetry import Telemetry
from otel_meta.status.status import Status

Outcome = Literal["good", "bad"]
_GOOD, _BAD = get_args(Outcome)
_DEFINITIONS: Final = 'give a dict of SLOs by name, as in {"checkout": {"objective": "99.9%"}}'


@labels
class NamedEvent:
    """Labels of an event of an SLO."""

    indicator: str
    """The name of the SLO."""
    outcome: Outcome


EVENTS: Final = Counter("slo.named.events", "Events of SLOs that are declared by name.", NamedEvent)


class SloDefinition(TypedDict):
    """An SLO in a dictionary."""

    objective: str
    """Share of events that must be good, as "99.9%"."""
    period: NotRequired[str]
    """By default "30d"."""
    bound: NotRequired[float]
    """Greatest good value of `SLOTracker.observe`."""
    why: NotRequired[str]
    """The impact on users if the SLO is not met."""


class SLOTracker:
    """Counts good and bad events of SLOs that a dictionary declares.

    This is the short form of a meta-repository with one counter. The statuses are those of the
    `SloTracker` of telemetry, which tracks declared SLOs: with the history in a file, the events of
    all workers, and the page /slo.

    Args:
        service_name: the name of the service.
        slo_definitions: SLOs by name. An `Slo` is tracked as it is declared.
        telemetry: telemetry of this process; by default that of `configure`.
        owner: the responsible team.

    Raises:
        DeclarationError: a definition is invalid.

    Examples:
        >>> tracker = SLOTracker(
        ...     service_name="checkout",
        ...     slo_definitions={
        ...         "checkout-availability": {"objective": "99.9%"},
        ...         "checkout-latency": {"objective": "99%", "period": "7d", "bound": 0.1},
        ...     },
        ... )
        >>> tracker.record("checkout-availability", good=True)
        >>> tracker.observe("checkout-latency", 0.07)
        >>> tracker.status("checkout-availability").state
        'ok'
    """

    def __init__(
        self,
        service_name: str,
        slo_definitions: Mapping[str, SloDefinition | Slo],
        *,
        telemetry: Telemetry | None = None,
        owner: str = "unknown",
    ) -> None:
        expect_type("SLOTracker", "service_name", service_name, str, "give the service's name")
        expect_type("SLOTracker", "slo_definitions", slo_definitions, Mapping, _DEFINITIONS)
        self._slos: Final = {name: _slo(name, each) for name, each in slo_definitions.items()}
        self._bounds: Final = {
            name: each.get("bound")
            for name, each in slo_definitions.items()
            if not isinstance(each, Slo)
        }
        self.repo: Final = _repo(service_name, owner, self._slos)
        """The meta-repository of the SLOs."""
        self.telemetry: Final = telemetry or configure(service_name, self.repo)
        """Telemetry of this process."""
        self.telemetry.bind(self.repo)
        self._events: Final = self.telemetry.storage.recorder(EVENTS)

    def record(self, slo: str, *, good: bool, events: int = 1) -> None:
        """Record events of an SLO.

        Args:
            slo: the name of the SLO.
            good: True if the events are good.
            events: number of events.
        """
        self._events.add(events, indicator=slo, outcome=_GOOD if good else _BAD)

    def observe(self, slo: str, value: float) -> None:
        """Record an event, which is good at the bound of the SLO or below.

        Raises:
            KeyError: the SLO has no bound.
        """
        bound = self._bounds.get(slo)
        if bound is None:
            raise KeyError(f"SLO {slo!r} has no bound; declare it with bound=, in a dictionary")
        self.record(slo, good=value <= bound)

    def status(self, slo: str) -> Status:
        """Return the current status of an SLO.

        Raises:
            KeyError: there is no such SLO.
        """
        return self.telemetry.tracker.status(self._slos[slo])

    def statuses(self) -> dict[str, Status]:
        """Return the current status of each SLO by name."""
        return {name: self.status(name) for name in self._slos}


def _slo(name: str, definition: SloDefinition | Slo) -> Slo:
    if isinstance(definition, Slo):
        return definition
    where = f"SLO {name!r}"
    fix = 'give a dict, as in {"objective": "99.9%", "period": "30d"}'
    expect_type(where, "definition", definition, Mapping, fix)
    known = get_type_hints(SloDefinition)
    for key in definition:
        if key not in known:
            raise DeclarationError(
                where,
                f"has the key {key!r}",
                f"there are {', '.join(known)}{did_you_mean(key, known)}",
            )
    if "objective" not in definition:
        raise DeclarationError(where, "has no objective", fix)
    if "bound" in definition:
        expect_number(where, "bound", definition["bound"])
    events = EVENTS.where(indicator=name)
    return Slo(
        name,
        objective=definition["objective"],
        period=definition.get("period", "30d"),
        sli=events.ratio(bad=EVENTS.where(indicator=name, outcome=_BAD)),
        why=definition.get("why", "Users of the service notice bad events."),
    )


def _repo(service_name: str, owner: str, slos: Mapping[str, Slo]) -> type[MetaRepo]:
    """Return a meta-repository, named like the service."""
    name = re.sub(r"[^a-z0-9]+", "-", service_name.lower()).strip("-")
    judged = {each.instrument for slo in slos.values() for each in slo.sli.selectors()}
    members = {
        **{each.name: each for each in (EVENTS, *judged)},
        **{each.name: each for each in slos.values()},
    }
    keywords = {"name": name, "owner": owner}
    return new_class("NamedSlos", (MetaRepo,), keywords, lambda body: body.update(members))

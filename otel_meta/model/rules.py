"""Recordings and alerts of a meta-repository, besides the rules generated for SLOs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, get_args

from otel_meta.errors import DeclarationError

from .arguments import (
    declared_in,
    expect_number,
    expect_type,
    full_match,
    optional_steps,
    sentence,
    set_fields,
)
from .declared_call import declaring_class
from .duration import Duration
from .identity import SERVICE
from .measure import Measure
from .slo.burn import Severity, expect_severity
from .slo.comparison import Comparison
from .slo.slo import Slo

_RECORDING: Final = re.compile(r"[a-z_]+(?::[a-z0-9_]+){2}")
_ALERT: Final = re.compile(r"[A-Z][A-Za-z0-9]*")


@declaring_class
@dataclass(frozen=True)
class Recording:
    """A measure that a recording rule stores as a series, named level:metric:operations.

    Raises:
        DeclarationError: the name has another form, or the description is not a sentence.
    """

    name: str
    measure: Measure
    description: str

    def __post_init__(self) -> None:
        where = f"recording {self.name!r}"
        if not full_match(_RECORDING, self.name):
            raise DeclarationError(
                where,
                "is not named level:metric:operations",
                'write it as "service:http_server_request_duration_seconds:p99_7d"',
            )
        _check_measure(where, self.measure)
        text = sentence(where, "description", self.description, "the recorded measure")
        set_fields(self, description=text)

    def __repr__(self) -> str:
        return f"Recording({self.name!r})"


@declaring_class
@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert that fires while a measure is beyond a bound.

    Args:
        name: CamelCase, unique in a catalog.
        measure: the measure that is compared with the bound.
        above: upper bound in the unit of the measure; give ``above`` or ``below``.
        below: lower bound in the unit of the measure.
        severity: ``page`` or ``ticket``.
        for_: time beyond the bound before the alert fires, as ``for`` in Prometheus.
        summary: the problem, in one sentence.
        first_steps: first steps of the diagnosis, for the runbook; Markdown is allowed.
        slo: an SLO of the same class whose page says the same: while it fires for a service,
            Alertmanager holds back this alert.

    Raises:
        DeclarationError: both or neither bound is given, the name is not in CamelCase, a text is
            no sentence, or an alert with an SLO is not grouped by service.
    """

    name: str
    measure: Measure
    severity: Severity
    summary: str
    above: float | None = None
    below: float | None = None
    for_: Duration | None = None
    first_steps: str = ""
    slo: Slo | None = None

    def __post_init__(self) -> None:
        where = f"alert {self.name!r}"
        if not full_match(_ALERT, self.name):
            raise DeclarationError(where, "is not in CamelCase", 'write it as "CircuitBreakerOpen"')
        expect_severity(where, self.severity)
        _check_measure(where, self.measure)
        if (self.above is None) == (self.below is None):
            raise DeclarationError(
                where, "has both or neither of above and below", "give one bound"
            )
        expect_number(where, "bound", self.below if self.above is None else self.above)
        if self.slo is not None:
            _check_slo(where, self.slo, self.measure.by)
        with declared_in(where):
            set_fields(
                self,
                for_=None if self.for_ is None else Duration.of(self.for_),
                summary=sentence(where, "summary", self.summary, "the problem"),
                first_steps=optional_steps(where, self.first_steps),
            )

    def __repr__(self) -> str:
        return f"Alert({self.name!r}, severity={self.severity!r})"

    @property
    def comparison(self) -> Comparison:
        """The comparison of the measure with the bound; true while the alert fires."""
        if self.above is not None:
            return Comparison(">", self.above)
        return Comparison("<", self.below or 0.0)


def _check_slo(where: str, slo: object, by: tuple[str, ...]) -> None:
    """Refuse what an alert cannot be held back for: another thing, or an alert of no service."""
    expect_type(where, "slo", slo, Slo, "give an SLO of the same class, such as slo=availability")
    if SERVICE not in by:
        raise DeclarationError(
            where,
            "has an SLO, which each service meets for itself, but its measure is not by service",
            f'add "{SERVICE}" to by=(...) of its measure',
        )


def _check_measure(where: str, measure: object) -> None:
    """Refuse a metric in place of a measure, a likely mistake where nothing checks types."""
    fix = "give a measure, such as measures.latest(gauge) or measures.rate(counter, '1h')"
    expect_type(where, "measure", measure, get_args(Measure), fix)

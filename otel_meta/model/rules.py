"""Recordings and alerts that a meta-repository declares besides those that follow from its SLOs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from otel_meta.errors import DeclarationError

from .burn import Severity
from .duration import Duration
from .measure import Measure

_RECORDING: Final = re.compile(r"[a-z_]+(?::[a-z0-9_]+){2}")
_ALERT: Final = re.compile(r"[A-Z][A-Za-z0-9]*")


@dataclass(frozen=True, eq=False)
class Recording:
    """A measure kept as a series of its own, named level:metric:operations.

    Raises:
        DeclarationError: the name has another form, or there is no description.
    """

    name: str
    measure: Measure
    description: str

    def __post_init__(self) -> None:
        if not _RECORDING.fullmatch(self.name):
            raise DeclarationError(
                f"recording {self.name!r}",
                "is not named level:metric:operations",
                'write it as "service:http_server_request_duration_seconds:p99_7d"',
            )
        _expect_sentence(f"recording {self.name!r}", self.description)


@dataclass(frozen=True, eq=False, kw_only=True)
class Alert:
    """Tell somebody when a measure crosses a bound.

    Args:
        name: CamelCase, unique in a catalogue.
        measure: what is watched.
        above: fire when the measure is larger than this, or
        below: when it is smaller; in the measure's unit.
        severity: ``page`` or ``ticket``.
        hold: how long it has to stay there first ("5m"), Prometheus' ``for``.
        summary: what is wrong, in one sentence.
        look: where to look first, for the runbook.

    Raises:
        DeclarationError: both or neither bound, or a name or summary of another form.
    """

    name: str
    measure: Measure
    severity: Severity
    summary: str
    above: float | None = None
    below: float | None = None
    for_: Duration | None = None
    first_steps: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        where = f"alert {self.name!r}"
        if not _ALERT.fullmatch(self.name):
            raise DeclarationError(where, "is not in CamelCase", 'write it as "CircuitBreakerOpen"')
        if (self.above is None) == (self.below is None):
            raise DeclarationError(
                where, "has both or neither of above and below", "give one bound"
            )
        _expect_sentence(where, self.summary)
        if self.first_steps:
            _expect_sentence(where, self.first_steps)


def _expect_sentence(where: str, text: str) -> None:
    if not text.endswith("."):
        raise DeclarationError(where, "is not explained", "say what it means in one sentence")

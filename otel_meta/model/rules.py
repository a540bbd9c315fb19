"""Recordings and alerts of a meta-repository, besides the rules generated for SLOs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from otel_meta.errors import DeclarationError

from .duration import Duration
from .measure import Measure
from .slo.burn import Severity
from .slo.comparison import Comparison

_RECORDING: Final = re.compile(r"[a-z_]+(?::[a-z0-9_]+){2}")
_ALERT: Final = re.compile(r"[A-Z][A-Za-z0-9]*")


@dataclass(frozen=True, eq=False)
class Recording:
    """A measure that a recording rule stores as a series, named level:metric:operations.

    Raises:
        DeclarationError: the name has another form, or the description is not a sentence.
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
    """An alert that fires while a measure is beyond a bound.

    Args:
        name: CamelCase, unique in a catalog.
        measure: the measure that is compared with the bound.
        above: upper bound in the unit of the measure; give ``above`` or ``below``.
        below: lower bound in the unit of the measure.
        severity: ``page`` or ``ticket``.
        for_: time beyond the bound before the alert fires, as ``for`` in Prometheus.
        summary: the problem, in one sentence.
        first_steps: first steps of the diagnosis, for the runbook.

    Raises:
        DeclarationError: both or neither bound is given, the name is not in CamelCase, or a text is
            no sentence.
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

    @property
    def comparison(self) -> Comparison:
        """The comparison of the measure with the bound; true while the alert fires."""
        if self.above is not None:
            return Comparison(">", self.above)
        return Comparison("<", self.below or 0.0)


def _expect_sentence(where: str, text: str) -> None:
    if not text.endswith("."):
        raise DeclarationError(
            where, "has a text that is not a sentence", "end it with a full stop"
        )

"""Corrections: times whose events count neither as good nor as bad, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from otel_meta.errors import DeclarationError
from otel_meta.model.arguments import expect_choice, sentence

CorrectionKind = Literal["maintenance", "incident"]


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A time whose events are excluded from bad and total events alike.

    Raises:
        DeclarationError: a time has no zone, the end is not after the beginning, or the reason is
            missing.
    """

    begin: datetime
    """With a time zone."""
    end: datetime
    reason: str
    """One sentence, which every page shows."""
    kind: CorrectionKind = "incident"
    slos: tuple[str, ...] = ()
    """Names of SLOs; empty means all SLOs."""
    service: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels of the services, such as service_name; empty means all services."""

    def __post_init__(self) -> None:
        where = f"correction from {self.begin}"
        expect_choice(where, "kind", self.kind, get_args(CorrectionKind), {})
        sentence(where, "reason", self.reason, "why these events do not count")
        for moment in (self.begin, self.end):
            if moment.tzinfo is None:
                raise DeclarationError(where, "has a time without a zone", "end the time with Z")
        if self.begin >= self.end:
            raise DeclarationError(where, "does not end after it begins", "exchange the two times")

    def applies_to(self, slo: str, service: Mapping[str, str]) -> bool:
        """Return True if the correction is about an SLO of a service."""
        of_service = all(service.get(name) == value for name, value in self.service.items())
        return of_service and (not self.slos or slo in self.slos)

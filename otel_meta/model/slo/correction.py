"""Corrections: times whose events count neither as good nor as bad, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, get_args

from otel_meta.errors import DeclarationError
from otel_meta.model.arguments import expect_choice, expect_type, sentence, set_fields

CorrectionKind = Literal["maintenance", "incident"]
_FORM: Final = "2026-11-20T10:00:00Z"


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
        reason = sentence(where, "reason", self.reason, "why these events do not count")
        set_fields(self, reason=reason)
        for name, moment in (("begin", self.begin), ("end", self.end)):
            expect_type(where, name, moment, datetime, f"write the time as {_FORM}")
            if moment.utcoffset() is None:
                raise DeclarationError(
                    where, f"has the {name} {moment} without a zone", f"write the time as {_FORM}"
                )
        if self.begin >= self.end:
            raise DeclarationError(where, "does not end after it begins", "exchange the two times")

    def is_about(self, slo: str) -> bool:
        """Return True if a correction is about an SLO of some service."""
        return not self.slos or slo in self.slos

    def is_of(self, service: Mapping[str, str]) -> bool:
        """Return True if a correction is about a service, for some SLO."""
        return all(service.get(name) == value for name, value in self.service.items())

    def applies_to(self, slo: str, service: Mapping[str, str]) -> bool:
        """Return True if the correction is about an SLO of a service."""
        return self.is_of(service) and self.is_about(slo)

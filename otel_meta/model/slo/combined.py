"""Several SLIs of events as one: the bad and the total events of all are added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Final

from otel_meta.errors import DeclarationError
from otel_meta.model.arguments import expect_type, set_fields
from otel_meta.model.declared_call import declaring_class

from .sli import SimpleSli, Sli

_WHERE: Final = "combined indicator"
_GIVE_INDICATORS: Final = (
    "give indicators of events, as Combined(http.within(1), uploads.within(5))"
)


@declaring_class
@dataclass(frozen=True, init=False)
class Combined(Sli):
    """Events that several instruments or series count: all of them are added up.

    An instrument that a service does not record has no events: the others decide.

    Examples:
        >>> from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION as HTTP
        >>> pages = HTTP.where(http_route="/page").within(0.1)
        >>> reports = HTTP.where(http_route="/report").within(5)
        >>> Combined(pages, reports).unit
        'events'

    Raises:
        DeclarationError: there are fewer than two indicators, one is of time slices, or two count
            the same events.
    """

    slis: tuple[SimpleSli, ...]

    def __init__(self, *slis: Sli) -> None:
        for sli in slis:
            expect_type(_WHERE, "part", sli, Sli, _GIVE_INDICATORS)
        set_fields(self, slis=tuple(chain.from_iterable(sli.parts for sli in slis)))
        _check_events(self.slis)
        _check_overlap(self.slis)

    @property
    def parts(self) -> tuple[SimpleSli, ...]:
        """The indicators whose bad and total events are added up."""
        return self.slis


def _check_events(parts: Sequence[SimpleSli]) -> None:
    if len(parts) <= 1:
        raise DeclarationError(_WHERE, "has fewer than two parts", _GIVE_INDICATORS)
    if any(part.unit != "events" for part in parts):
        raise DeclarationError(_WHERE, "has a part of time slices", _GIVE_INDICATORS)


def _check_overlap(parts: Sequence[SimpleSli]) -> None:
    for one, other in combinations((part.total_events.selector for part in parts), 2):
        if one.instrument == other.instrument and (one.includes(other) or other.includes(one)):
            raise DeclarationError(
                _WHERE,
                f"counts the events of {other!r} twice",
                "select other series in each part, with where(...)",
            )

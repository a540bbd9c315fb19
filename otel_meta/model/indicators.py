"""Indicators of a metric, or of selected series of a metric: ``ratio``, ``within``, ``at_least``.

Each kind of instrument has the methods that suit its values, and ``where`` returns a selection with
the same methods: ``http.where(...).within(1)`` equals ``http.within(1).where(...)``.
"""

from __future__ import annotations

from typing import Final

from .declared_call import declaring
from .kind_traits import BUCKET_KINDS, EVENT_KINDS, VALUE_KINDS, Kind
from .selector import Selectable, Selector, as_selector
from .slo.sli import Ratio, Threshold, TimeSlice


class CountsEvents:
    """Indicators of counted events."""

    @declaring
    def ratio(self, *, bad: Selectable | None = None, good: Selectable | None = None) -> Ratio:
        """Return the SLI "share of good events", from the part that the service counts.

        Raises:
            DeclarationError: both or neither of ``bad`` and ``good`` are given, or the part is the
                whole.
        """
        return Ratio(
            total=as_selector(self),
            bad=None if bad is None else as_selector(bad),
            good=None if good is None else as_selector(good),
        )


class HasBuckets:
    """Indicators of values counted by bucket."""

    @declaring
    def within(self, bound: float) -> Threshold:
        """Return the SLI "share of recorded values at or below a bound".

        Raises:
            DeclarationError: no bucket ends at the bound.
        """
        return Threshold(as_selector(self), bound)


class HasValue:
    """Indicators of a current value."""

    @declaring
    def at_least(self, bound: float) -> TimeSlice:
        """Return the SLI "share of time in which each series is at or above a bound".

        Raises:
            DeclarationError: the bound is no number.
        """
        return TimeSlice(as_selector(self), at_least=bound)

    @declaring
    def at_most(self, bound: float) -> TimeSlice:
        """Return the SLI "share of time in which each series is at or below a bound".

        Raises:
            DeclarationError: the bound is no number.
        """
        return TimeSlice(as_selector(self), at_most=bound)


class Selection(CountsEvents, HasBuckets, HasValue, Selector):
    """Selected series, with every indicator; an indicator refuses series of another kind."""


_KINDS_WITH: Final[dict[str, tuple[str, ...]]] = {
    "ratio": EVENT_KINDS,
    "within": BUCKET_KINDS,
    "at_least": VALUE_KINDS,
    "at_most": VALUE_KINDS,
}


def missing_attribute(owner: object, kind: Kind, name: str) -> AttributeError:
    """Return the error for an attribute that declarations of a kind do not have."""
    kinds = _KINDS_WITH.get(name)
    hint = f"; {name}() is for {' and '.join(f'{k}s' for k in kinds)}, not {kind}s" if kinds else ""
    message = f"{type(owner).__name__!r} object has no attribute {name!r}{hint}"
    return AttributeError(message, name=name, obj=owner)

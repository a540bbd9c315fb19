"""The promise: an indicator, how often it has to be good, and over how long."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from otel_meta.errors import DeclarationError

from ._frozen import set_fields
from .burn import BURN_WINDOWS, BurnWindow, problems_of
from .duration import Duration
from .objective import Objective
from .sli import Sli

NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


@dataclass(frozen=True, eq=False, init=False)
class Slo:
    """A service level objective, kept by each service of the meta-repository on its own.

    Args:
        name: lower-case words joined by dashes; unique in a catalogue.
        objective: the share of events that must be good, as "99.9%".
        period: how long the promise holds, rolling, as "30d".
        sli: which events count, and which of them are bad.
        why: who is hurt when it is broken, in one sentence.
        windows: when to tell somebody; by default the table for the period in `BURN_WINDOWS`.
        min_bad: how many bad events (seconds, for time slices) have to stand behind an alert that
            the budget burns. One failure in a quiet hour is a ratio of 100 % and no incident.
        quiet: how long a service may be without events before somebody is told.

    Raises:
        DeclarationError: no percentage, no table for the period, or a window that can never fire.
    """

    name: str
    objective: Objective
    period: Duration
    sli: Sli
    why: str = field(repr=False)
    burn_windows: tuple[BurnWindow, ...] = field(repr=False)
    min_bad_events: int
    no_data_after: Duration

    def __init__(
        self,
        name: str,
        *,
        objective: str | Objective,
        period: str | Duration,
        sli: Sli,
        why: str,
        burn_windows: tuple[BurnWindow, ...] | None = None,
        min_bad_events: int = 3,
        no_data_after: str | Duration = "6h",
    ) -> None:
        set_fields(
            self,
            name=name,
            objective=Objective.of(objective),
            period=Duration.of(period),
            sli=sli,
            why=why,
            min_bad_events=min_bad_events,
            no_data_after=Duration.of(no_data_after),
        )
        self._check_words()
        set_fields(self, burn_windows=self._table() if burn_windows is None else burn_windows)
        self._check_windows()

    def burn_lookbacks(self) -> tuple[Duration, ...]:
        """Every span of time that a burn window looks back over, shortest first."""
        return tuple(sorted({span for w in self.burn_windows for span in (w.short, w.long)}))

    def _table(self) -> tuple[BurnWindow, ...]:
        try:
            return BURN_WINDOWS[self.period]
        except KeyError:
            known = ", ".join(map(str, BURN_WINDOWS))
            raise DeclarationError(
                f"SLO {self.name!r}",
                f"has a period of {self.period}, for which there is no table of burn windows",
                f"choose one of {known}, or give burn_windows=",
            ) from None

    def _check_words(self) -> None:
        if not NAME.fullmatch(self.name):
            raise DeclarationError(
                f"SLO {self.name!r}", "is not a name", "use lower-case words joined by dashes"
            )
        if not self.why.endswith("."):
            raise DeclarationError(
                f"SLO {self.name!r}", "does not say why", "say in one sentence who is hurt"
            )

    def _check_windows(self) -> None:
        for problem in problems_of(self.burn_windows, self.period, self.objective.budget):
            raise DeclarationError(
                f"SLO {self.name!r}",
                problem,
                "give burn_windows= that suit its objective and period",
            )

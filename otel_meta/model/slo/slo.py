"""Service level objectives (SLOs): an SLI, an objective and a period."""

from __future__ import annotations

from dataclasses import dataclass

from otel_meta.errors import DeclarationError
from otel_meta.model.arguments import (
    check_dashed_name,
    declared_in,
    expect_count,
    expect_type,
    optional_steps,
    sentence,
    set_fields,
)
from otel_meta.model.declared_call import declaring_class
from otel_meta.model.duration import Duration

from .burn import BURN_WINDOWS, BurnWindow, problems_of
from .objective import Objective
from .sli import Sli


@declaring_class
@dataclass(frozen=True, init=False)
class Slo:
    """A service level objective, which applies to each service of a meta-repository.

    Args:
        name: lower-case words joined by dashes; unique in a catalog.
        objective: share of events that must be good, as "99.9%".
        period: rolling time window of the objective, as "30d".
        sli: the events, and the good or bad events among them.
        why: the impact on users if the SLO is not met, in one sentence.
        first_steps: usual causes of bad events, and the first actions against each, for the
            runbook; Markdown is allowed.
        burn_windows: conditions of the burn-rate alerts; by default the rows of `BURN_WINDOWS` for
            the period.
        min_bad_events: minimum of bad events (for time slices, seconds) in a window of a burn-rate
            alert. One failure in a quiet hour is an error ratio of 100 %, but no incident.
        no_data_after: time without events after which an alert fires.
        formerly: names that the SLO had before, whose recorded history it continues.

    Raises:
        DeclarationError: an argument has the wrong form, the period has no table, or a burn window
            can never fire or fires while the SLO is met.
    """

    name: str
    objective: Objective
    period: Duration
    sli: Sli
    why: str
    first_steps: str
    burn_windows: tuple[BurnWindow, ...]
    min_bad_events: int
    no_data_after: Duration
    formerly: tuple[str, ...]

    def __init__(
        self,
        name: str,
        *,
        objective: str | Objective,
        period: str | Duration,
        sli: Sli,
        why: str,
        first_steps: str = "",
        burn_windows: tuple[BurnWindow, ...] | None = None,
        min_bad_events: int = 3,
        no_data_after: str | Duration = "6h",
        formerly: tuple[str, ...] = (),
    ) -> None:
        check_dashed_name("SLO", name)
        where = f"SLO {name!r}"
        _check_sli(where, sli)
        expect_count(where, "min_bad_events", min_bad_events, least=0)
        expect_type(where, "formerly", formerly, tuple, _FORMER_NAMES)
        _check_former_names(where, name, formerly)
        with declared_in(where):
            set_fields(
                self,
                name=name,
                objective=Objective.of(objective),
                period=Duration.of(period),
                sli=sli,
                why=sentence(where, "why", why, "the impact on users"),
                first_steps=optional_steps(where, first_steps),
                min_bad_events=min_bad_events,
                no_data_after=Duration.of(no_data_after),
                formerly=formerly,
            )
        set_fields(
            self,
            burn_windows=self._default_burn_windows() if burn_windows is None else burn_windows,
        )
        self._check_windows()

    def __repr__(self) -> str:
        return f"Slo({self.name!r}, objective='{self.objective}', period='{self.period}')"

    def burn_lookbacks(self) -> tuple[Duration, ...]:
        """Return the durations of all burn windows, shortest first."""
        return tuple(sorted({span for w in self.burn_windows for span in (w.short, w.long)}))

    def _default_burn_windows(self) -> tuple[BurnWindow, ...]:
        try:
            return BURN_WINDOWS[self.period]
        except KeyError:
            known = ", ".join(map(str, BURN_WINDOWS))
            raise DeclarationError(
                f"SLO {self.name!r}",
                f"has a period of {self.period}, for which there is no table of burn windows",
                f"choose one of {known}, or give burn_windows=",
            ) from None

    def _check_windows(self) -> None:
        fix = "give a tuple of BurnWindow(severity, budget_spent, long, short)"
        expect_type(f"SLO {self.name!r}", "burn_windows", self.burn_windows, tuple, fix)
        for window in self.burn_windows:
            expect_type(f"SLO {self.name!r}", "burn window", window, BurnWindow, fix)
        for problem in problems_of(self.burn_windows, self.period, self.objective.budget):
            raise DeclarationError(
                f"SLO {self.name!r}",
                problem,
                "give burn_windows= that suit its objective and period",
            )


def _check_sli(where: str, sli: object) -> None:
    """Refuse a metric in place of an indicator, a likely mistake where nothing checks types."""
    expect_type(
        where,
        "indicator",
        sli,
        Sli,
        "name the good or bad events: counter.ratio(bad=...), histogram.within(...) or "
        "gauge.at_least(...)",
    )


_FORMER_NAMES = 'give the old names, as formerly=("old-name",)'


def _check_former_names(where: str, name: str, formerly: tuple[str, ...]) -> None:
    for former in formerly:
        check_dashed_name("former name of an SLO", former)
    if len({name, *formerly}) <= len(formerly):
        raise DeclarationError(where, "has a name twice in formerly", _FORMER_NAMES)

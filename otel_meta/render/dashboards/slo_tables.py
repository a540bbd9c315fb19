"""Tables of all SLOs: how each of them stands, and how fast it burns in each window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from otel_meta.model import Duration
from otel_meta.render.rules import series_names as series

from .grafana_units import NUMBER, RATIO
from .panel import Column, Panel, Query, Step, Word, letter
from .slo_queries import Questions
from .slo_style import BUDGET, BURN, COVERAGE, HOURS, NOTHING_BURNS, STATES, tracking

_WHOSE: Final = (
    Column(source=series.SLO, title="SLO", link=tracking("${__data.fields.SLO}")),
    Column(source=series.NAMESPACE, title="Meta-repository"),
    Column(source=series.SERVICE, title="Service"),
)
_DECLARED: Final = tuple(
    Column(source=label, title=label.capitalize()) for label in ("objective", "period", "owner")
)


@dataclass(frozen=True)
class _Answer:
    """A column that a query fills."""

    title: str
    expr: str
    unit: str = NUMBER
    steps: tuple[Step, ...] = ()
    words: Mapping[str, Word] = field(default_factory=dict[str, Word])
    empty: str = ""


def overview(ask: Questions) -> Panel:
    """Each SLO of each service, in a line."""
    answers = (
        _Answer("State", ask.described_state(), words=STATES),
        _Answer("Good events", ask.of(series.SLI), RATIO),
        _Answer("Budget left", ask.of(series.BUDGET_REMAINING), RATIO, BUDGET),
        _Answer("Burn rate, 1h", ask.of(series.BURN_RATE_1H), NUMBER, BURN),
        _Answer("Budget gone in", ask.hours_left(), "h", HOURS, empty=NOTHING_BURNS),
        _Answer("Period with data", ask.coverage(), RATIO, COVERAGE),
    )
    state, *others = _columns(answers)
    return Panel(
        look="table",
        title="All SLOs",
        description="Each SLO of each service: what is promised, whether it is kept, and how long "
        "the budget lasts at the last hour's burn rate. A click on an SLO shows it alone.",
        queries=_queries(answers),
        width=24,
        height=12,
        columns=(*_WHOSE, state, *others, *_DECLARED),
    )


def burn_by_window(ask: Questions, spans: Iterable[Duration]) -> Panel:
    """How fast each SLO's budget burned over each window that an alert looks back."""
    answers = tuple(_Answer(str(span), ask.burn(span), NUMBER, BURN) for span in spans)
    return Panel(
        look="table",
        title="Burn rate by window",
        description="How many times too fast the error budget burned over each window that an "
        "alert looks back. Fast in short windows only: a new incident. Above 1 in long ones: the "
        "promise will not be kept.",
        queries=_queries(answers),
        width=12,
        columns=(*_WHOSE, *_columns(answers)),
    )


def _queries(answers: Iterable[_Answer]) -> tuple[Query, ...]:
    return tuple(Query(expr=answer.expr, instant=True) for answer in answers)


def _columns(answers: Iterable[_Answer]) -> tuple[Column, ...]:
    return tuple(
        Column(
            source=f"Value #{letter(at)}",
            title=answer.title,
            unit=answer.unit,
            steps=answer.steps,
            words=answer.words,
            empty=answer.empty,
        )
        for at, answer in enumerate(answers)
    )

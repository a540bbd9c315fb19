"""Tables of the verdicts, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from alert_quality.contenders import ALL, Contender
from alert_quality.verdict import Check, Incident, Verdict

Verdicts = Mapping[str, Sequence[Verdict]]
"""By the name of the contender."""

NONE: Final = "-"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A number for each contender; None if there is none."""

    title: str
    values: tuple[float | None, ...]
    digits: int = 1
    is_better_high: bool = False
    is_compared: bool = True

    @property
    def is_behind(self) -> bool:
        """True if another contender has a better value than the first one."""
        if not self.is_compared:
            return False
        sign = 1 if self.is_better_high else -1
        own, *others = (
            float("-inf") if value is None else sign * round(value, self.digits)
            for value in self.values
        )
        return own < max(others)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose columns but the first are aligned to the right."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def numbers(first: str, rows: Iterable[Row], contenders: Sequence[Contender] = ALL) -> str:
    """Return a table of rows, with the number of the reason where otel_meta is behind."""
    return table(
        [first, *(one.title for one in contenders)],
        ([row.title, *(_text(value, row.digits) for value in row.values)] for row in rows),
    )


def _text(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:,.{digits}f}"


def page_rows(verdicts: Verdicts) -> Iterator[Row]:
    """Yield the rows about pages."""
    each = [_Pages(verdicts[one.name]) for one in ALL]
    yield Row(
        title=f"incidents found, of {len(each[0].incidents)}",
        values=tuple(len(one.found) for one in each),
        digits=0,
        is_better_high=True,
    )
    yield Row(
        title="recall",
        values=tuple(len(one.found) / len(one.incidents) for one in each),
        digits=2,
        is_better_high=True,
    )
    yield Row(
        title="pages",
        values=tuple(one.pages for one in each),
        digits=0,
        is_compared=False,
    )
    yield Row(
        title="precision: pages that belong to an incident",
        values=tuple(one.precision for one in each),
        digits=2,
        is_better_high=True,
    )
    yield from _spread("minutes from the exact policy to the page", [o.delays for o in each], 1)
    yield from _spread("% of the budget spent by then", [one.spent for one in each], 1)
    yield from _spread("minutes to resolve after the exact policy", [o.ends for o in each], 1)


def _spread(title: str, parts: Sequence[Sequence[float]], digits: int) -> Iterator[Row]:
    middle = tuple(median(part) if part else None for part in parts)
    yield Row(title=f"{title}, median", values=middle, digits=digits)
    worst = tuple(max(part, default=None) for part in parts)
    yield Row(title=f"{title}, worst", values=worst, digits=digits)


@dataclass(frozen=True)
class _Pages:
    """The pages of a contender over all scenarios."""

    verdicts: Sequence[Verdict]

    @property
    def incidents(self) -> list[Incident]:
        return [one for verdict in self.verdicts for one in verdict.incidents]

    @property
    def found(self) -> list[Incident]:
        return [one for one in self.incidents if one.is_found]

    @property
    def pages(self) -> int:
        return sum(one.true_pages + len(one.false_pages) for one in self.verdicts)

    @property
    def precision(self) -> float | None:
        true = sum(one.true_pages for one in self.verdicts)
        return true / self.pages if self.pages else None

    @property
    def delays(self) -> list[float]:
        return [one.delay / 60 for one in self.found if one.delay is not None]

    @property
    def spent(self) -> list[float]:
        return [100 * one.budget_spent for one in self.found if one.budget_spent is not None]

    @property
    def ends(self) -> list[float]:
        return [one.late_end / 60 for one in self.found if one.late_end is not None]


def missed_rows(verdicts: Verdicts) -> Iterator[list[str]]:
    """Yield the incidents that a contender has not found."""
    for contender in ALL:
        names = [
            f"{one.scenario}/{one.service}"
            for one in _Pages(verdicts[contender.name]).incidents
            if not one.is_found
        ]
        yield [contender.title, ", ".join(names) or "none"]


def false_rows(verdicts: Verdicts) -> Iterator[list[str]]:
    """Yield the pages that belong to no incident."""
    for contender in ALL:
        names: dict[str, int] = {}
        for verdict in verdicts[contender.name]:
            for page in verdict.false_pages:
                name = f"{verdict.scenario}/{page.labels.get('service_name')}: {page.alert}"
                names[name] = names.get(name, 0) + 1
        texts = [
            f"{name}{f' ({times} times)' if times > 1 else ''}" for name, times in names.items()
        ]
        yield [contender.title, ", ".join(texts) or "none"]


def outage_rows(verdicts: Verdicts) -> Iterator[Row]:
    """Yield the minutes from the start of each total outage to the first page."""
    for at, verdict in enumerate(verdicts[ALL[0].name]):
        for number, outage in enumerate(verdict.outages):
            pages = [verdicts[one.name][at].outages[number].page for one in ALL]
            yield Row(
                title=f"{verdict.scenario}: {outage.service}",
                values=tuple(None if page is None else page / 60 for page in pages),
            )


def budget_rows(verdicts: Verdicts, *, can_be_counted: bool) -> Iterator[Row]:
    """Yield the largest error of the budget in each scenario; points of the budget."""
    for at, verdict in enumerate(verdicts[ALL[0].name]):
        errors = [_worst(verdicts[one.name][at].checks, can_be_counted) for one in ALL]
        if any(one is not None for one in errors):
            yield Row(title=verdict.scenario, values=tuple(errors))


def _worst(checks: Iterable[Check], can_be_counted: bool) -> float | None:
    errors = [
        abs(one.error)
        for one in checks
        if one.error is not None and one.can_be_counted == can_be_counted
    ]
    return max(errors, default=None)

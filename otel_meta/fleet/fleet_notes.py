"""What a person should know of a server besides the statuses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from .last_seen import LastSeen
from .slo_keys import Asked

_LISTED: Final = 10


def notes(asked: Asked, seen: LastSeen) -> Iterator[str]:
    """Yield a sentence for foreign SLOs, for SLOs that no service has, and for stopped rules."""
    if unknown := {name for name in seen.names if not asked.is_known(name)}:
        yield f"The catalogue does not declare these SLOs of the server: {listed(unknown)}."
    yield from _absent(asked, seen)
    if seen.times and not any(map(seen.is_fresh, seen.times)):
        minutes = (seen.at - max(seen.times.values())) / 60
        yield (
            f"No rule was evaluated for {minutes:.0f} minutes, so that no SLO has data: look at "
            "the server that evaluates rules, and at the clock of this machine."
        )


def listed(names: Iterable[str]) -> str:
    """Return names in order, and the number of those beyond the tenth."""
    every = sorted(names)
    more = len(every) - _LISTED
    return ", ".join(every[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _absent(asked: Asked, seen: LastSeen) -> Iterator[str]:
    found = {key.slo for key in seen.times}
    repos = {asked.declared[name][0].name for name in found}
    absent = [declared for name, declared in asked.declared.items() if name not in found]
    if unseen := {repo.name for repo, _ in absent} - repos:
        yield f"No service has recordings of these meta-repositories: {listed(unseen)}."
    if missing := [slo.name for repo, slo in absent if repo.name in repos]:
        yield f"No service has these SLOs in the last week: {listed(missing)}."

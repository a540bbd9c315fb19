"""Recording rules of the declared measures of a meta-repository, and of the layers below them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_meta.errors import DeclarationError
from otel_meta.model import MetaRepo
from otel_meta.render.options import Options
from otel_meta.render.rules.rule import Group, Record

from .measure_promql import expression, layers_of

MOST_RULES: Final = 20
"""The rules of a group that Mimir accepts by default."""


def measure_groups(repo: type[MetaRepo], options: Options) -> Iterator[Group]:
    """Yield the groups of measures, if there are any; alerts read the same layers.

    Raises:
        DeclarationError: two recordings of one name would differ.
    """
    records = [*_layers(repo, options), *_declared(repo, options)]
    named: dict[str, Record] = {}
    for record in records:
        if named.setdefault(record.record, record) != record:
            raise DeclarationError(
                f"meta-repository {repo.name!r}",
                f"records two series named {record.record}",
                "rename the recording, or group one of the measures by other labels",
            )
    rules = tuple(named.values())
    for start in range(0, len(rules), MOST_RULES):
        part = start // MOST_RULES
        name = f"{repo.name}-measures{f'-{part + 1}' if part else ''}"
        yield Group(name, rules[start : start + MOST_RULES])


def _layers(repo: type[MetaRepo], options: Options) -> Iterator[Record]:
    measures = (
        *(recording.measure for recording in repo.recordings.values()),
        *(alert.measure for alert in repo.alerts.values()),
    )
    for measure in measures:
        yield from layers_of(measure, repo.name, options)


def _declared(repo: type[MetaRepo], options: Options) -> Iterator[Record]:
    for recording in repo.recordings.values():
        value = expression(recording.measure, repo.name, options)
        yield Record(recording.name, value)

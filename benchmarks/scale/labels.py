"""The number of series of an instrument in one process, for given numbers of label values.

A closed label takes every declared value, unless another label determines the value. The number of
values of an open label is given here, or by the caller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from types import MappingProxyType
from typing import Any, Final

from otel_meta.model import Histogram, Instrument, MetaRepo
from otel_meta.model.labels import Label

Labels = Mapping[str, str]
Counts = Mapping[str, int]
"""The number of values of each open label."""

OPEN: Final[Counts] = MappingProxyType(
    {
        "http_route": 20,
        # nebula
        "resource": 20,
        "workspace": 10,
        "project": 3,
        # of spending; of free tiers it is closed
        "gcp_service": 10,
        # sentinel; chronos' dbt models too
        "model": 10,
        "version": 2,
        "dataset": 10,
        "feature": 20,
        # chronos
        "pipeline": 10,
        "dag": 5,
        "task": 10,
        # titan
        "event_type": 10,
        "consumer": 2,
        "breaker": 5,
        "dependency": 5,
        "queue": 3,
        # obsidian
        "scanner": 3,
        "policy": 20,
        # aurora
        "path": 5,
        "table": 20,
        "cache": 3,
    }
)

# The responses of a server on each route; a status of 500 or more is an error.
_ANSWERS: Final = (("200", ""), ("404", ""), ("500", "500"))

_STREAMING: Final = 10
"""One route of so many streams its responses."""

_FOLLOWS: Final = MappingProxyType(
    {
        "Resource": "resource_type",
        "Dependency": "kind",
        "DbtModel": "materialization",
        "HttpServerActive": "url_scheme",
    }
)
"""The closed label that the other labels determine, by the name of the label class."""


def series_of(repo: type[MetaRepo], counts: Counts = OPEN) -> int:
    """Return the number of series of all instruments of a meta-repository in one process."""
    return sum(
        lines_each(instrument) * sum(1 for _ in label_sets(instrument, counts))
        for instrument in repo.instruments.values()
    )


def lines_each(instrument: Instrument[...]) -> int:
    """Return the series per set of labels; a histogram has its buckets, ``+Inf``, count and sum."""
    return len(instrument.buckets) + 3 if isinstance(instrument, Histogram) else 1


def label_sets(instrument: Instrument[...], counts: Counts = OPEN) -> Iterator[Labels]:
    """Yield every set of labels of an instrument in one process; "" is an absent label."""
    owner = _name_of(instrument.labels)
    if owner == "HttpServerRequest":
        yield from _requests(counts["http_route"])
        yield from _streams(counts["http_route"], error_type="", stream="true")
        return
    if owner == "HttpServerStream":
        yield from _streams(counts["http_route"])
        return
    fields = instrument.label_fields
    values = [_values(field, owner, counts) for field in fields]
    for chosen in product(*values):
        yield dict(zip((field.name for field in fields), chosen, strict=True))


def _requests(routes: int) -> Iterator[Labels]:
    for number, (status, error) in product(range(routes), _ANSWERS):
        yield _answer(number, status, error_type=error, stream="")


def _streams(routes: int, **more: str) -> Iterator[Labels]:
    yield from (_answer(number, "200", **more) for number in range(0, routes, _STREAMING))


def _answer(number: int, status: str, **more: str) -> dict[str, str]:
    return {
        "http_request_method": "GET",
        "url_scheme": "https",
        "http_route": f"/items/{number}/{{id}}",
        "http_response_status_code": status,
        **more,
    }


def _values(field: Label, owner: str, counts: Counts) -> tuple[str, ...]:
    if field.values is None:
        return tuple(f"{field.name}-{n}" for n in range(counts[field.name]))
    return field.values[:1] if _FOLLOWS.get(owner) == field.name else field.values


def _name_of(labels: Any) -> str:
    name: str = labels.__name__
    return name

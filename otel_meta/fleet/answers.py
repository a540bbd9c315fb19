"""The answers of Prometheus' HTTP API, read strictly: half an answer is none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeVar, cast

T = TypeVar("T")

_OTHER_FORM: Final = "answers, but in another form than Prometheus does"
_MALFORMED: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_SHOWN: Final = 200
"""Characters of a server's text in an error."""


class Sample(NamedTuple):
    """The value of a series at one time."""

    labels: Mapping[str, str]
    at: float
    """Seconds since 1970."""
    value: float


class Series(NamedTuple):
    """The values of a series by time, in seconds since 1970."""

    labels: Mapping[str, str]
    values: Mapping[int, float]


class Exemplar(NamedTuple):
    """An event of a series, with labels of its own such as the id of its trace."""

    series: Mapping[str, str]
    labels: Mapping[str, str]
    at: float
    value: float


class WrongAnswer(ValueError):
    """The body is no answer to a query."""


class PartialAnswer(WrongAnswer):
    """The answer has only a part of the data."""


def samples_of(body: bytes) -> tuple[Sample, ...]:
    """Return the samples of an instant query.

    Raises:
        WrongAnswer: the body is no vector, or has only a part of the data.
    """

    def sample(one: Any) -> Sample:
        at, value = one["value"]
        return Sample(_labels(one["metric"]), float(at), float(value))

    return _results(body, "vector", sample)


def series_of(body: bytes) -> tuple[Series, ...]:
    """Return the series of a range query.

    Raises:
        WrongAnswer: the body is no matrix, or has only a part of the data.
    """

    def series(one: Any) -> Series:
        values = {round(float(at)): float(value) for at, value in one["values"]}
        return Series(_labels(one["metric"]), values)

    return _results(body, "matrix", series)


def exemplars_of(body: bytes) -> tuple[Exemplar, ...]:
    """Return the exemplars of an answer.

    Raises:
        WrongAnswer: the body has no exemplars in Prometheus' form, or only a part of them.
    """
    data = _whole(body).get("data") or ()
    try:
        return tuple(
            Exemplar(
                _labels(series["seriesLabels"]),
                _labels(one["labels"]),
                float(one["timestamp"]),
                float(one["value"]),
            )
            for series in data
            for one in series["exemplars"]
        )
    except _MALFORMED as error:
        raise WrongAnswer(_OTHER_FORM) from error


def joined(parts: Iterable[tuple[Series, ...]]) -> tuple[Series, ...]:
    """Join the parts of a range: each series once, with all its values."""
    found: dict[frozenset[tuple[str, str]], tuple[Mapping[str, str], dict[int, float]]] = {}
    for series in (one for part in parts for one in part):
        _, values = found.setdefault(frozenset(series.labels.items()), (series.labels, {}))
        values.update(series.values)
    return tuple(Series(labels, values) for labels, values in found.values())


def error_of(body: bytes) -> str:
    """Return the text of the error in a body; empty if the body is of another form."""
    try:
        return one_line(json.loads(body)["error"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""


def one_line(text: object) -> str:
    """Return the beginning of a foreign text, on one line and without control characters."""
    line = " ".join(str(text).split())
    shown = "".join(each for each in line if each.isprintable())
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"


def _results(body: bytes, kind: str, read: Callable[[Any], T]) -> tuple[T, ...]:
    answer = _whole(body)
    try:
        found, results = answer["data"]["resultType"], tuple(map(read, answer["data"]["result"]))
    except _MALFORMED as error:
        raise WrongAnswer(_OTHER_FORM) from error
    if found != kind:
        raise WrongAnswer(f"answers with a {one_line(found)}, where a {kind} belongs")
    return results


def _whole(body: bytes) -> dict[str, Any]:
    """Return the answer if it is one, and has all the data.

    Thanos and Mimir add warnings to a partial answer, and VictoriaMetrics sets ``isPartial``. An
    answer that lacks bad events would show an SLO as met.
    """
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WrongAnswer(_no_json(body)) from error
    fields = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
    if fields.get("status") != "success":
        raise WrongAnswer(_OTHER_FORM)
    warnings = fields.get("warnings")
    if warnings or fields.get("isPartial"):
        why = one_line(json.dumps(warnings).strip('[]"')) if warnings else ""
        raise PartialAnswer(f"has only a part of the data{why and f': {why}'}")
    return fields


def _no_json(body: bytes) -> str:
    start = body.lstrip()[:1]
    if start == b"<":
        return "answers with a page of HTML, such as that of a login"
    return f"gives {'half an answer' if start == b'{' else 'an answer that is no JSON'}"


def _labels(metric: Any) -> Mapping[str, str]:
    labels: dict[Any, Any] = dict(metric)
    if not all(isinstance(value, str) for value in labels.values()):
        raise WrongAnswer(_OTHER_FORM)
    return labels

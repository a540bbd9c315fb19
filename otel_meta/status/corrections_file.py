"""The file of corrections that a team commits: TOML, a table ``[[correction]]`` for each."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import combinations
from pathlib import Path
from typing import Any, Final, cast, get_args

from otel_meta.errors import DeclarationError
from otel_meta.model import Catalog, Slo
from otel_meta.model.arguments import declared_in, did_you_mean
from otel_meta.model.slo.correction import Correction, CorrectionKind

_TABLE: Final = "correction"
_TIME: Final = "write the time without quotes, as 2026-11-20T10:00:00Z"


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_time(value: object) -> bool:
    return isinstance(value, datetime)


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, cast("list[object]", value)))


def _are_labels(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, cast("dict[str, object]", value).values()))


_KEYS: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "begin": (_is_time, _TIME),
    "end": (_is_time, _TIME),
    "reason": (_is_text, 'write a sentence, as reason = "Announced maintenance."'),
    "kind": (_is_text, f"write one of {', '.join(get_args(CorrectionKind))}"),
    "slos": (_are_names, 'write a list of names, as slos = ["aurora-api-availability"]'),
    "service": (
        _are_labels,
        'write a table of labels, as service = { service_name = "storefront" }',
    ),
}
"""Whether a value has the type of its key, and the right form."""
_REQUIRED: Final = ("begin", "end", "reason")


def read_corrections(path: Path) -> tuple[Correction, ...]:
    """Return the corrections of a file, in its order.

    Raises:
        DeclarationError: the file cannot be read, or a row is wrong; the text has its number.
    """
    document = _document(path)
    for key in document:
        if key != _TABLE:
            near = did_you_mean(key, [_TABLE]) or f"; write [[{_TABLE}]]"
            raise DeclarationError(str(path), f"has the unknown key {key!r}", near.lstrip("; "))
    table: object = document.get(_TABLE, [])
    if not isinstance(table, list):
        raise DeclarationError(
            str(path), f"has the table [{_TABLE}]", f"write two brackets, as [[{_TABLE}]]"
        )
    rows = cast("list[object]", table)
    found = [_correction(place(path, number), row) for number, row in _numbered(rows)]
    _refuse_repetition(path, found)
    return tuple(found)


def place(path: Path, number: int) -> str:
    """Return the place of a correction for messages; the first is number 1."""
    return f"{path}, correction {number}"


def check_corrections(
    path: Path, corrections: Sequence[Correction], catalog: Catalog, labels: Iterable[str]
) -> None:
    """Refuse corrections that do not fit a catalogue.

    Args:
        path: the file of the corrections.
        corrections: in the order of the file.
        catalog: the declared SLOs.
        labels: the labels of identity, by which services are told apart.

    Raises:
        DeclarationError: an SLO or a label does not exist, or a correction is longer than the
            period of its SLO, which would have no events left.
    """
    slos = {slo.name: slo for repo in catalog for slo in repo.slos.values()}
    for number, correction in _numbered(corrections):
        where = place(path, number)
        _expect_names(where, "SLO", correction.slos, slos)
        _expect_names(where, "label of services", correction.service, tuple(labels))
        for slo in filter(lambda each: correction.is_about(each.name), slos.values()):
            _expect_shorter(where, correction, slo)


def overlaps(path: Path, corrections: Sequence[Correction]) -> Iterator[str]:
    """Yield a sentence for every two corrections that overlap: each event is excluded once."""
    for (one, first), (other, second) in combinations(_numbered(corrections), 2):
        if _overlap(first, second):
            yield (
                f"{path}: corrections {one} and {other} overlap; their events are excluded once, "
                "and both reasons are shown"
            )


def _overlap(one: Correction, other: Correction) -> bool:
    in_time = one.begin < other.end and other.begin < one.end
    same_slos = not one.slos or not other.slos or not {*one.slos}.isdisjoint(other.slos)
    shared = one.service.keys() & other.service.keys()
    return (
        in_time and same_slos and all(one.service[name] == other.service[name] for name in shared)
    )


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        fix = "name a file of corrections"
        raise DeclarationError(str(path), f"cannot be read: {error.strerror}", fix) from error
    except ValueError as error:  # of TOML, or of UTF-8
        raise DeclarationError(str(path), "is not TOML", f"the mistake is: {error}") from error


def _numbered(rows: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    return enumerate(rows, start=1)


def _correction(where: str, row: object) -> Correction:
    if not isinstance(row, dict):
        raise DeclarationError(where, f"is {row!r}", f"write a table, as [[{_TABLE}]]")
    values = dict(cast("dict[str, Any]", row))
    for key, value in values.items():
        _check_value(where, key, value)
    for key in _REQUIRED:
        if key not in values:
            raise DeclarationError(where, f"has no {key}", _KEYS[key][1])
    with declared_in(where):
        values["slos"] = tuple(values.get("slos", ()))
        return Correction(**values)


def _check_value(where: str, key: str, value: object) -> None:
    if key not in _KEYS:
        near = did_you_mean(key, _KEYS) or f"; the keys are {', '.join(_KEYS)}"
        raise DeclarationError(where, f"has the unknown key {key!r}", near.lstrip("; "))
    has_type, fix = _KEYS[key]
    if not has_type(value):
        shown = value if isinstance(value, date) else repr(value)
        raise DeclarationError(where, f"has the {key} {shown}", fix)


def _refuse_repetition(path: Path, corrections: Sequence[Correction]) -> None:
    for (one, first), (other, second) in combinations(_numbered(corrections), 2):
        if first == second:
            raise DeclarationError(
                place(path, other), f"repeats correction {one}", "remove one of the two"
            )


def _expect_names(where: str, what: str, names: Iterable[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            near = did_you_mean(name, known) or f"; there are {', '.join(sorted(known))}"
            raise DeclarationError(where, f"names the {what} {name!r}", near.lstrip("; "))


def _expect_shorter(where: str, correction: Correction, slo: Slo) -> None:
    seconds = (correction.end - correction.begin).total_seconds()
    if seconds >= slo.period.seconds:
        raise DeclarationError(
            where,
            f"is as long as the period of {slo.name}, {slo.period}, or longer",
            "correct the end, or name the SLOs that it is about",
        )

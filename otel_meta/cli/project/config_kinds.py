"""Kinds of values in the project's table: how each is read, and the words for a wrong one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from zoneinfo import available_timezones

from otel_meta.model.arguments import did_you_mean
from otel_meta.render.options import PROMETHEUS
from otel_meta.render.receivers import Existing, Target
from otel_meta.status.slo_links import PLACEHOLDERS, TEMPLATE_EXAMPLE, is_template

Read = Callable[[object], Any]

_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_URL: Final = re.compile(r"https?://[^\s{}\"'<>\\/]+(?:/[^\s{}\"'<>\\]*)?")
_METRICS: Final = re.compile(r"[A-Za-z_:*?][A-Za-z0-9_:*?]*")
_VERSION: Final = re.compile(r"v?([0-9]+)\.([0-9]+)(?:\.[0-9]+)?")
_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_NAMESPACE: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_K8S_NAME: Final = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_K8S_KEY: Final = re.compile(rf"(?:[a-z0-9](?:[-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_K8S_NAME}")
_IMAGE: Final = re.compile(
    r"[a-z0-9][a-z0-9._:/-]*(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[0-9a-f]{64})"
)
_K8S_VALUE: Final = re.compile(rf"(?:{_K8S_NAME})?")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NO_PLACES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("service_namespace", "service_name"), "is part of every identity"),
    **dict.fromkeys(("instance", "pod", "job"), "differs between processes of one service"),
    **dict.fromkeys(("slo", "le", "quantile"), "tells series of one service apart"),
    **dict.fromkeys(("alertname", "severity", "team", "meta_repository"), "is set by rules"),
}
_ENDS_OF_A_RANGE: Final = 2
_HEADER: Final = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_]*")
_SECRET_HEADERS: Final = ("authorization", "cookie", "proxy-authorization")
_LONGEST: Final = 86_400.0
"""Seconds of the longest time-out."""
_EXPRESSION: Final = re.compile(
    r"\{\{ ?\$(?:(?:labels|externalLabels)\.\w+|externalURL|value) ?\}\}"
)
"""The templates that cannot fail: Prometheus refuses all rules if one template is wrong."""


class WrongValueError(ValueError):
    """A value has the wrong form; the text has the value and the right form."""


@dataclass(frozen=True)
class Kind:
    """A kind of values.

    Args:
        form: the right form, as in TOML.
        read: returns the checked value; raises `WrongValueError`.
        of_texts: returns the value, as in TOML, of the texts of a command line option; of True
            for an option without an argument.
        repeatable: whether the option may be given several times.
        names: the only values, for the completion of a shell; empty if others are values as well.
    """

    form: str
    read: Read
    of_texts: Callable[[Any], object] = lambda texts: texts[-1]
    repeatable: bool = False
    names: Collection[str] = ()


def _text(value: object, form: str = '"text"') -> str:
    if not isinstance(value, str):
        raise WrongValueError(f"is {_toml(value)}; write a text in quotes, such as {form}")
    if not value.strip():
        raise WrongValueError(f"is empty; write a text, such as {form}, or remove the key")
    return value


def _toml(value: object) -> str:
    """Return a value as TOML has it, for an error."""
    if isinstance(value, bool):
        return str(value).lower()
    return "a table" if isinstance(value, dict) else repr(value)


def _matching(pattern: re.Pattern[str], what: str, form: str) -> Read:
    def read(value: object) -> str:
        text = _text(value, form)
        if not pattern.fullmatch(text):
            raise WrongValueError(f"{text!r} is not {what}; write it as {form}")
        return text

    return read


def _place(value: object) -> str:
    text: str = _label(value)
    if text in _NO_PLACES:
        raise WrongValueError(f"{text!r} {_NO_PLACES[text]}; choose another label")
    return text


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongValueError(f"is {_toml(value)}; write true or false, without quotes")
    return value


def _folder(value: object) -> str:
    if value == "":  # of a variable that is not set: Path("") would be the working directory
        raise WrongValueError("the name is empty; name a folder, or omit it")
    return _text(value, '"folder"')


def _file(value: object) -> str:
    return _text(value, '"file"')


@dataclass(frozen=True)
class Secret:
    """A text of the command line or of a variable, which no output repeats."""

    text: str = field(repr=False)


def _secret(value: object) -> Secret:
    if isinstance(value, Secret):
        _text(value.text)
        return value
    raise WrongValueError("is a secret, which does not belong in a file; set the variable instead")


def _header(value: object) -> str:
    text: str = _any_header(value)
    if text.lower() in _SECRET_HEADERS:
        raise WrongValueError(f"{text!r} holds a secret; give the token or the user instead")
    return text


def _seconds(value: object) -> float:
    try:
        seconds = float(value) if isinstance(value, int | float | str) else 0.0
    except ValueError:
        seconds = 0.0
    if isinstance(value, bool) or not 0 < seconds <= _LONGEST:
        raise WrongValueError(
            f"{value!r} is not a number of seconds above 0; write 10, for example"
        )
    return seconds


def _url(value: object) -> str:
    text = _text(value, '"https://host/path"')
    if not _URL.fullmatch(text):
        raise WrongValueError(f"{text!r} is not a URL; write it as https://host/path")
    return text


def _base_url(value: object) -> str:
    return _url(value).rstrip("/")


def _server_url(value: object) -> str:
    url = _base_url(value)
    if "@" in url:
        raise WrongValueError("has a name or password; give the user and the password apart")
    return url


def _link(value: object) -> str:
    text = _text(value, f'"{TEMPLATE_EXAMPLE}"')
    if not is_template(text):
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise WrongValueError(f"{text!r} is not a URL whose placeholders are of {known}")
    return text


_any_header = _matching(_HEADER, "the name of a header", '"X-Name"')
_any_label = _matching(_LABEL, "a label of Prometheus", '"letters_digits"')


def _label(value: object) -> str:
    text: str = _any_label(value)
    if text.startswith("__"):
        raise WrongValueError(f"{text!r} is internal to Prometheus; begin with a letter")
    return text


def _constant(value: object) -> str:
    text = _text(value)
    if "{{" in text:
        raise WrongValueError(f"{text!r} has a template; a label that changes makes a new alert")
    return text


def _template(value: object) -> str:
    text = _text(value)
    rest = _EXPRESSION.sub("", text)
    if "{{" in rest or "}}" in rest:
        known = "{{ $labels.NAME }}, {{ $externalLabels.NAME }}, {{ $externalURL }}, {{ $value }}"
        raise WrongValueError(f"{text!r} has another template than {known}")
    return text


def _version(value: object) -> tuple[int, int]:
    text = _text(value, '"3.16"')
    found = _VERSION.fullmatch(text)
    if not found:
        raise WrongValueError(f'{text!r} is not a version; write it as "3.16"')
    version = (int(found[1]), int(found[2]))
    if version < PROMETHEUS:
        oldest = ".".join(map(str, PROMETHEUS))
        raise WrongValueError(f"{text!r} is too old; rules need Prometheus {oldest} or newer")
    return version


def _zone(value: object) -> str:
    text = _text(value, '"Europe/Berlin"')
    known = available_timezones()
    if known and text not in known:  # a machine without the database knows none
        near = did_you_mean(text, known)
        raise WrongValueError(f"{text!r} is no time zone of the IANA database{near}")
    return text


def _days(value: object) -> str:
    text = _text(value, '"monday:friday"')
    wrong = [day for day in text.split(":") if day not in _DAYS]
    if wrong:
        near = did_you_mean(wrong[0], _DAYS)
        raise WrongValueError(f'{text!r} is no day; write "friday" or "monday:friday"{near}')
    numbers = [_DAYS.index(day) for day in text.split(":")]
    if len(numbers) > _ENDS_OF_A_RANGE or numbers != sorted(numbers):
        raise WrongValueError(f"{text!r} is no range of days; a week begins on monday")
    return text


def _receiver(value: object) -> Target:
    if not isinstance(value, dict):
        return _url(value)
    table = cast("Mapping[str, object]", value)
    if [*table] != ["receiver"]:
        raise WrongValueError(f'has the keys {[*table]}; write {{ receiver = "name" }}')
    return Existing(_text(table["receiver"], '"pagerduty"'))


def choice(names: Collection[str]) -> Kind:
    """Return the kind of one of some names."""

    def read(value: object) -> str:
        text = _text(value, f'"{min(names)}"')
        if text not in names:
            near = did_you_mean(text, names)
            raise WrongValueError(f"{text!r} is not one of {', '.join(names)}{near}")
        return text

    return Kind(" or ".join(f'"{name}"' for name in names), read, names=names)


def list_of(kind: Kind, *, may_be_empty: bool = True) -> Kind:
    """Return the kind of a list of values, without repetition.

    Args:
        kind: the kind of its values.
        may_be_empty: whether a list without values has a meaning.
    """

    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise WrongValueError(f"is {_toml(value)}; write a list, such as [{kind.form}]")
        if not (value or may_be_empty):
            raise WrongValueError("is empty; name one at least, or remove the key")
        return tuple(dict.fromkeys(kind.read(item) for item in cast("list[object]", value)))

    return Kind(f"[{kind.form}, …]", read, of_texts=list, repeatable=True, names=kind.names)


def map_of(key: Kind, value_kind: Kind, *, refused: Mapping[str, str] | None = None) -> Kind:
    """Return the kind of a table of texts.

    Args:
        key: the kind of its keys.
        value_kind: the kind of its values.
        refused: keys that are not allowed, each with the reason.
    """
    reasons = refused or {}

    def read(value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise WrongValueError(f"is {_toml(value)}; write {form}")
        table = cast("Mapping[str, object]", value)
        for name in table:
            if name in reasons:
                raise WrongValueError(f"has the key {name!r}; {reasons[name]}")
        return {_key(key, name): _entry(name, value_kind, text) for name, text in table.items()}

    form = f"{{ name = {value_kind.form} }}"
    return Kind(form, read, of_texts=_pairs, repeatable=True)


def _key(kind: Kind, name: str) -> str:
    try:
        return str(kind.read(name))
    except WrongValueError as error:
        raise WrongValueError(f"has a wrong key: {error}") from error


def _entry(name: str, kind: Kind, value: object) -> Any:
    try:
        return kind.read(value)
    except WrongValueError as error:
        raise WrongValueError(f"has a wrong value of {name!r}: {error}") from error


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise WrongValueError(f"{text!r} has no value; write it as name=value")
        pairs[name] = value
    return pairs


TEXT: Final = Kind('"text"', _text)
CONSTANT: Final = Kind('"text"', _constant)
TEMPLATE: Final = Kind('"text"', _template)
FLAG: Final = Kind("true or false", _flag, of_texts=bool)
FOLDER: Final = Kind('"folder"', _folder)
FILE: Final = Kind('"file"', _file)
SECRET: Final = Kind("none", _secret, of_texts=lambda texts: Secret(texts[-1]))
HEADER: Final = Kind('"name"', _header)
SECONDS: Final = Kind("10", _seconds)
SERVER_URL: Final = Kind('"https://host/path"', _server_url)
BASE_URL: Final = Kind('"https://host/path"', _base_url)
LINK: Final = Kind(f'"{TEMPLATE_EXAMPLE}"', _link)
TARGET: Final = Kind('"https://host/path" or { receiver = "name" }', _receiver)
VERSION: Final = Kind('"3.16"', _version)
ZONE: Final = Kind('"Europe/Berlin"', _zone)
DAYS: Final = Kind('"monday:friday"', _days)
TIME: Final = Kind('"09:00"', _matching(_TIME, "a time", '"09:00"'))
PLACE: Final = Kind('"label"', _place)
LABEL: Final = Kind('"label"', _label)
METRICS: Final = Kind('"name" or "prefix_*"', _matching(_METRICS, "a metric", '"prefix_*"'))
NAMESPACE: Final = Kind('"namespace"', _matching(_NAMESPACE, "a namespace", '"lower-case"'))
K8S_KEY: Final = Kind('"name"', _matching(_K8S_KEY, "a label of Kubernetes", '"example.org/name"'))
K8S_VALUE: Final = Kind('"text"', _matching(_K8S_VALUE, "a value of Kubernetes", '"letters-1.2"'))
IMAGE: Final = Kind(
    '"registry/name:tag"',
    _matching(_IMAGE, "an image with a tag or a digest", '"registry/name@sha256:64 digits"'),
)
REPO: Final = Kind('"module:Class"', _text)

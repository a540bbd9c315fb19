"""Checks of the arguments of `configure`: the answer to each mistake has the fix."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from os import PathLike
from reprlib import Repr
from typing import Any, Final, NamedTuple, cast

from otel_meta.errors import ConfigurationError
from otel_meta.model import MetaRepo

from .configure_options import Options
from .environment.value_kinds import is_host
from .setting_variables import LOG_FORMATS, LOG_LEVELS, MAX_PORT

_MAX_SECONDS: Final = 86_400
_MEANINGFUL_NONE: Final = frozenset({"prometheus_port", "log_stream"})
_EXAMPLE: Final = "configure('my-service', Aurora)"
_EXPORTERS: Final = "give a name such as 'otlp', or a list of names"
_FLAG: Final = "give True or False"

_show: Final = Repr().repr


class _Check(NamedTuple):
    is_valid: Callable[[Any], bool]
    fix: str
    is_secret: bool = False
    """True if the value must not be in a message."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_host(value: Any) -> bool:
    return isinstance(value, str) and is_host(value)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_a(value: Any, *types: type) -> bool:
    """Return True for an instance; numbers are not booleans here."""
    return isinstance(value, types) and not isinstance(value, bool)


def _whole_number(minimum: int, maximum: int) -> Callable[[Any], bool]:
    def is_valid(value: Any) -> bool:
        return _is_a(value, int) and minimum <= value <= maximum

    return is_valid


def _is_duration(value: Any) -> bool:
    return _is_a(value, int, float) and 0 < value <= _MAX_SECONDS


def _is_interval(value: Any) -> bool:
    return _is_a(value, int, float) and 0 <= value <= _MAX_SECONDS


def _is_share(value: Any) -> bool:
    return _is_a(value, int, float) and 0 <= value <= 1


def _is_path(value: Any) -> bool:
    text = os.fspath(cast("str", value)) if isinstance(value, str | PathLike) else ""
    return bool(text) and "\0" not in text


def _are_all_text(parts: Iterable[Any]) -> bool:
    return all(isinstance(part, str) for part in parts)


def _are_names(value: Any) -> bool:
    return _is_a(value, Collection) and not _is_a(value, bytes) and _are_all_text(value)


def _are_texts(value: Any) -> bool:
    return _is_a(value, Mapping) and _are_all_text(value) and _are_all_text(value.values())


def _is_binary_stream(value: Any) -> bool:
    return callable(getattr(value, "write", None)) and not isinstance(value, io.TextIOBase)


def _is_level(value: Any) -> bool:
    if isinstance(value, str):
        return value.lower() in LOG_LEVELS
    return _is_a(value, int) and value in logging.getLevelNamesMapping().values()


def _is_format(value: Any) -> bool:
    return isinstance(value, str) and value.lower() in LOG_FORMATS


_TEXT: Final = _Check(_is_text, "give a text")
_NAMES: Final = _Check(_are_names, _EXPORTERS)
_SECONDS: Final = _Check(
    _is_duration, f"give a number of seconds above 0 and up to {_MAX_SECONDS}, such as 5"
)
_ON_OR_OFF: Final = _Check(_is_flag, _FLAG)

CHECKS: Final[Mapping[str, _Check]] = {
    "namespace": _TEXT,
    "resource_attributes": _Check(
        _are_texts, "give a dict of texts, as in {'deployment.environment.name': 'test'}"
    ),
    "identity_attributes": _Check(
        _are_names, "give names of resource attributes, such as ('cloud.region',)"
    ),
    "traces": _NAMES,
    "metrics": _NAMES,
    "logs": _NAMES,
    "otlp_endpoint": _Check(_is_text, "give a URL, such as 'http://localhost:4318'"),
    "prometheus_host": _Check(_is_host, "give an address, such as '0.0.0.0'"),
    "prometheus_port": _Check(
        _whole_number(0, MAX_PORT),
        f"give a port as a whole number from 0 to {MAX_PORT}, such as 9464",
    ),
    "prometheus_token": _Check(_is_text, "give the token as a text", is_secret=True),
    "merge_prometheus_client": _ON_OR_OFF,
    "prometheus_created": _ON_OR_OFF,
    "redaction": _ON_OR_OFF,
    "redact_names": _Check(
        _are_names, "give the names of fields or attributes, such as ('iban', 'customer.phone')"
    ),
    "workers": _ON_OR_OFF,
    "slo_path": _Check(_is_path, "give the path of a file, such as '/var/lib/my-service/slo'"),
    "slo_required_coverage": _Check(_is_share, "give a share from 0 to 1, such as 0.25"),
    "tail_sampling": _ON_OR_OFF,
    "tail_sampling_slow": _SECONDS,
    "metric_interval": _SECONDS,
    "scrape_interval": _Check(
        _is_interval, f"give a number of seconds from 0 to {_MAX_SECONDS}, such as 15"
    ),
    "job": _ON_OR_OFF,
    "max_series": _Check(
        _whole_number(1, 10_000_000),
        "give a whole number from 1 to 10000000, such as 2000",
    ),
    "log_level": _Check(
        _is_level, f"choose from {', '.join(LOG_LEVELS)}, or give a level of logging"
    ),
    "log_format": _Check(
        _is_format,
        f"choose from {', '.join(LOG_FORMATS)}",
    ),
    "log_stream": _Check(
        _is_binary_stream, "give a stream for bytes, such as sys.stdout.buffer or sys.stderr.buffer"
    ),
    "cache_loggers": _ON_OR_OFF,
    "shutdown_timeout": _SECONDS,
    "export_on_sigterm": _ON_OR_OFF,
    "set_global": _ON_OR_OFF,
    "environ": _Check(
        _are_texts, "give a dict of texts, as os.environ is; write numbers as texts", is_secret=True
    ),
    "clock": _Check(callable, "give a function that returns seconds, such as time.monotonic"),
}
"""The check of each option."""


def check_options(options: Options) -> Options:
    """Return the options without those that are None and have no effect.

    Raises:
        ConfigurationError: the value of an option is invalid.
        TypeError: an option has an unknown name.
    """
    given = {
        name: value
        for name, value in options.items()
        if value is not None or name in _MEANINGFUL_NONE
    }
    for name in options:
        if name not in CHECKS:
            raise TypeError(
                f"configure() got an unexpected keyword argument {name!r}{_suggestion(name)}"
            )
    for name, value in given.items():
        check = CHECKS[name]
        if value is not None and not check.is_valid(value):
            shown = type(value).__name__ if check.is_secret else _show(value)
            raise ConfigurationError(f"configure({name}={shown}): {check.fix}")
    return cast("Options", given)


def check_arguments(service_name: object, repo: object) -> None:
    """Refuse exchanged arguments, which no type checker may have seen.

    Raises:
        ConfigurationError: an argument has the wrong type.
    """
    if not isinstance(service_name, str | None):
        raise ConfigurationError(
            f"the name of the service is {_show(service_name)}; give a text first, as in {_EXAMPLE}"
        )
    if repo is not None and not _is_repo(repo):
        raise ConfigurationError(
            f"repo={_show(repo)} is no meta-repository; give the class, as in {_EXAMPLE}"
        )


def _is_repo(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, MetaRepo) and value is not MetaRepo


def _suggestion(name: str) -> str:
    names = ["service_name", "repo", *CHECKS]
    near = get_close_matches(name, names, n=1, cutoff=0.7) or [
        other for other in names if name in other
    ]
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names)}"

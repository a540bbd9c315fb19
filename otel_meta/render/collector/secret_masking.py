"""Redaction of secrets and personal data: one list of patterns, applied to every text of a signal.

The redaction processor masks attributes and log bodies. The transform processor masks the texts
that the redaction processor does not know: names, messages and versions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from otel_meta.render._yaml import comment
from otel_meta.secret_patterns import BLOCKED_KEYS, BLOCKED_VALUES, MASK, URL_ATTRIBUTES

from .common_config import Config

REDACTION: Final = "redaction"
_SPAN_TEXTS: Final = "transform/span_texts"
_LOG_TEXTS: Final = "transform/log_texts"
_METRIC_RESOURCES: Final = "transform/metric_resources"

SPAN_REDACTION: Final = (REDACTION, _SPAN_TEXTS)
"""Processors of every pipeline that exports or counts spans."""
LOG_REDACTION: Final = (REDACTION, _LOG_TEXTS)
"""Processors of every pipeline of log records."""
METRIC_REDACTION: Final = (_METRIC_RESOURCES,)
"""Processors of every pipeline that exports metrics."""

_Fields = Mapping[str, tuple[str, ...]]
_SCOPE_AND_RESOURCE: Final = {
    "scope": ("name", "version", "schema_url"),
    "resource": ("schema_url",),
}
_SPAN_FIELDS: Final[_Fields] = MappingProxyType(
    {
        "span": ("name", "status.message", "trace_state"),
        "spanevent": ("name",),
        **_SCOPE_AND_RESOURCE,
    }
)
"""Text fields by context of the transform processor, without attributes."""
_LOG_FIELDS: Final[_Fields] = MappingProxyType(
    {"log": ("severity_text", "event_name"), **_SCOPE_AND_RESOURCE}
)
_WITH_URLS: Final = ("span", "spanevent", "log")
"""Contexts whose attributes may have a URL."""
_COMMANDS: Final = ("process.command_args", "process.command_line")


def redaction_processors(*, metrics: bool = True) -> Config:
    """Return the processors of redaction by name.

    Args:
        metrics: whether the Collector has a pipeline of metrics.
    """
    of_metrics = {_METRIC_RESOURCES: _metric_resources()} if metrics else {}
    return {
        REDACTION: _redaction(),
        _SPAN_TEXTS: {"error_mode": "ignore", "trace_statements": _text_statements(_SPAN_FIELDS)},
        _LOG_TEXTS: {"error_mode": "ignore", "log_statements": _text_statements(_LOG_FIELDS)},
        **of_metrics,
    }


def _redaction() -> Config:
    """Mask attributes with blocked keys, and blocked parts of attributes and log bodies.

    No summary tells which attributes were masked.
    """
    return {
        "allow_all_keys": True,
        "blocked_key_patterns": list(BLOCKED_KEYS),
        "blocked_values": list(BLOCKED_VALUES),
        **comment("Lists, maps and numbers too; a masked value becomes a text."),
        "redact_all_types": True,
        "summary": "silent",
    }


def _text_statements(fields: _Fields) -> list[Config]:
    """Return a group of statements per context; in one group, spans without events are left out."""
    return [
        {"context": context, "statements": [*_mask_fields(context, names), *_cut_urls(context)]}
        for context, names in fields.items()
    ]


def _mask_fields(context: str, names: Iterable[str]) -> list[str]:
    return [
        f"replace_pattern({context}.{name}, {_quoted(pattern)}, {_quoted(MASK)})"
        for name in names
        for pattern in BLOCKED_VALUES
    ]


def _cut_urls(context: str) -> list[str]:
    keys = URL_ATTRIBUTES if context in _WITH_URLS else ()
    return [
        f'replace_pattern({context}.attributes["{key}"], "(?s)[?#].*", "?{MASK}")' for key in keys
    ]


def _metric_resources() -> Config:
    """Mask the attributes of the resource, which Prometheus shows as labels of target_info.

    Labels of series stay as they are: masking would combine series, and a combined counter is
    wrong. They also stay as they are where Prometheus scrapes the process itself.
    """
    keys = [f"delete_matching_keys(resource.attributes, {_quoted(key)})" for key in BLOCKED_KEYS]
    commands = [f'delete_key(resource.attributes, "{key}")' for key in _COMMANDS]
    values = [
        f'replace_all_patterns(resource.attributes, "value", {_quoted(value)}, {_quoted(MASK)})'
        for value in BLOCKED_VALUES
    ]
    return {
        "error_mode": "ignore",
        "metric_statements": [{"context": "resource", "statements": [*keys, *commands, *values]}],
    }


def _quoted(text: str) -> str:
    """Return a text as a literal of the transform language, whose escapes are also JSON's."""
    return json.dumps(text)

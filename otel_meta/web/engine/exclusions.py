"""Paths that are excluded from spans, metrics and SLOs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from otel_meta.errors import ConfigurationError

VARIABLES: Final = ("OTEL_PYTHON_FASTAPI_EXCLUDED_URLS", "OTEL_PYTHON_EXCLUDED_URLS")
"""The first that is set counts, as in OpenTelemetry's instrumentation of FastAPI."""

_PARAMETER: Final = re.compile(r"\{[a-zA-Z_]\w*(:path)?(?::\w+)?\}")


class Exclusions:
    """Compiled patterns, each for a whole path.

    Args:
        patterns: regular expressions or templates of routes, as ``/internal/.*`` or
            ``/items/{id}/preview``; a leading slash may be left out.

    Raises:
        ConfigurationError: a pattern is no regular expression.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns: Final = [_compiled(pattern) for pattern in patterns]

    def includes(self, path: str) -> bool:
        """Return True if a pattern matches the whole path."""
        if not self._patterns:
            return False
        paths = path, path.removeprefix("/")
        return any(pattern.fullmatch(each) for pattern in self._patterns for each in paths)


def excluded_by_environment(environ: Mapping[str, str]) -> list[str]:
    """Return the patterns of contrib's variables, which are separated by commas."""
    text = next((environ[name] for name in VARIABLES if environ.get(name)), "")
    return [pattern for part in text.split(",") if (pattern := part.strip())]


def _compiled(pattern: str) -> re.Pattern[str]:
    template = _PARAMETER.sub(lambda found: ".+" if found[1] else "[^/]+", pattern)
    try:
        return re.compile(template, re.DOTALL)  # a path may have line breaks
    except (re.error, OverflowError) as error:
        raise ConfigurationError(
            f"exclude={pattern!r} is no regular expression ({error}); give paths or templates of "
            "routes, such as '/internal/.*'"
        ) from error

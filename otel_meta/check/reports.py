"""Findings as text, JSON, SARIF or annotations of GitHub."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from otel_meta._version import __version__

from .finding import MEANINGS, DiagnosticKind, Finding

_SARIF_SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_PROPERTY: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})
"""Escapes in the properties of a workflow command of GitHub."""
_MESSAGE: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})


def as_text(findings: Iterable[Finding]) -> str:
    """Return a line for each finding."""
    return "\n".join(map(str, findings))


def as_json(findings: Iterable[Finding]) -> str:
    """Return a list of findings."""
    return json.dumps([_plain(finding) for finding in findings], indent=2, ensure_ascii=False)


def as_sarif(findings: Iterable[Finding]) -> str:
    """Return a log of SARIF 2.1.0, which code scanning of GitHub, GitLab and Azure reads."""
    rules = [
        {"id": kind, "shortDescription": {"text": meaning}} for kind, meaning in MEANINGS.items()
    ]
    driver = {"name": "otel-meta", "version": __version__, "rules": rules}
    run = {"tool": {"driver": driver}, "results": [_result(each) for each in findings]}
    log = {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False)


def as_github(findings: Iterable[Finding]) -> str:
    """Return workflow commands, from which GitHub makes annotations of the changed lines."""
    return "\n".join(map(_annotation, findings))


REPORTS: Final[Mapping[str, Callable[[Iterable[Finding]], str]]] = MappingProxyType(
    {"text": as_text, "json": as_json, "sarif": as_sarif, "github": as_github}
)


def _plain(finding: Finding) -> dict[str, Any]:
    return {
        "file": finding.file,
        "line": finding.place.line,
        "column": finding.place.column,
        "group": finding.group,
        "rule": finding.rule,
        "kind": finding.diagnostic.kind,
        "message": " ".join(finding.diagnostic.message.split()),
        "suggestion": finding.diagnostic.suggestion,
    }


def _result(finding: Finding) -> dict[str, Any]:
    kind: DiagnosticKind = finding.diagnostic.kind
    result = {
        "ruleId": kind,
        "ruleIndex": list(MEANINGS).index(kind),
        "level": "error",
        "message": {"text": finding.subject},
    }
    return result | ({"locations": [_location(finding)]} if finding.file else {})


def _location(finding: Finding) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.file)}}
    if finding.place.line:
        line, column = finding.place
        location["region"] = {"startLine": line, "startColumn": max(1, column)}
    return {"physicalLocation": location}


def _uri(file: str) -> str:
    """Return a path relative to the working directory if the file is inside, as code hosts need."""
    path = Path(file)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _annotation(finding: Finding) -> str:
    fields = {
        "file": finding.file,
        "line": finding.place.line,
        "col": finding.place.column,
        "title": f"otel-meta: {finding.diagnostic.kind}",
    }
    given = ",".join(
        f"{name}={str(value).translate(_PROPERTY)}" for name, value in fields.items() if value
    )
    return f"::error {given}::{finding.subject.translate(_MESSAGE)}"

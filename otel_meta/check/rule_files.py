"""Readers of rule files in every format of `otel-meta generate`.

Prometheus, Thanos and vmalert have ``groups`` at the top, Mimir has a ``namespace`` in addition,
and a PrometheusRule resource has ``groups`` below ``spec``. A file may contain several documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeGuard

from otel_meta.errors import UsageError

from .documents import UnreadableFile, load_documents
from .finding import Diagnostic, Finding

ENDINGS: Final = frozenset({".yml", ".yaml", ".rules"})
"""Extensions of the files that are read in a folder."""

Text = Mapping[str, str]


@dataclass(frozen=True)
class Rule:
    """A rule as written in a file."""

    file: str
    group: str
    record: str
    """The name of the recorded series; empty for an alert."""
    alert: str
    expr: str
    labels: Text
    annotations: Text

    def finding(self, diagnostic: Diagnostic) -> Finding:
        """Return a finding for this rule."""
        return Finding(self.file, self.group, self.record or self.alert, diagnostic)


def files_in(path: Path) -> list[Path]:
    """Return the file itself, or the rule files of a folder and its subfolders.

    Raises:
        UsageError: the path does not exist, or the folder contains no rule file.
    """
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.suffix in ENDINGS and p.is_file())
        if not found:
            raise UsageError(f"--rules {path}: the folder has no {', '.join(sorted(ENDINGS))} file")
        return found
    if not path.exists():
        raise UsageError(f"--rules {path}: there is no such file or folder")
    return [path]


def read_rules(path: Path) -> Iterator[Rule | Finding]:
    """Yield every rule of a file, and a finding for each part that is not a rule."""
    try:
        found = load_documents(path)
    except UnreadableFile as error:
        yield _no_rule(path, str(error))
        return
    if not found:
        yield _no_rule(path, "is empty")
    for document in found:
        yield from _document(path, document)


def _document(path: Path, document: Any) -> Iterator[Rule | Finding]:
    holder = document.get("spec", document) if _is_mapping(document) else None
    groups = holder.get("groups") if _is_mapping(holder) else None
    if not _is_list(groups):
        yield _no_rule(path, "is not a rule file: it has no list of groups")
        return
    for group in groups:
        yield from _group(path, group)


def _group(path: Path, group: Any) -> Iterator[Rule | Finding]:
    rules: Any = group.get("rules") if _is_mapping(group) else None
    if not _is_list(rules):
        yield _no_rule(path, "has a group without a list of rules")
        return
    name = _text(group, "name")
    for rule in rules:
        yield _rule(path, name, rule)


def _rule(path: Path, group: str, rule: Any) -> Rule | Finding:
    if not _is_mapping(rule):
        return _no_rule(path, "has a rule that is not a mapping", group)
    record, alert = _text(rule, "record"), _text(rule, "alert")
    if bool(record) == bool(alert):
        return _no_rule(path, "has a rule that neither records nor alerts, or both", group)
    labels, annotations = (_texts(rule.get(key)) for key in ("labels", "annotations"))
    return Rule(str(path), group, record, alert, _text(rule, "expr"), labels, annotations)


def _no_rule(path: Path, message: str, group: str = "") -> Finding:
    return Finding(str(path), group, "", Diagnostic("file", message))


def _text(holder: Mapping[Any, Any], key: str) -> str:
    value = holder.get(key, "")
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> Text:
    pairs = value.items() if _is_mapping(value) else ()
    return {str(key): text for key, text in pairs if isinstance(text, str)}


def _is_mapping(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)

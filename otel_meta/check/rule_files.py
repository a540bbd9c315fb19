"""Readers of rule files in every format of `otel-meta generate`.

Prometheus, Thanos and vmalert have ``groups`` at the top, Mimir has a ``namespace`` in addition,
and the resources of Kubernetes operators have ``groups`` below ``spec``. A file may contain several
documents, of which Prometheus itself reads the first. Other resources are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeGuard

from otel_meta.errors import UsageError

from .documents import UnreadableFile, load_documents, place_in, place_of_fields
from .finding import UNKNOWN_PLACE, Diagnostic, Finding, Place

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

    def finding(self, diagnostic: Diagnostic, text: str | None = None) -> Finding:
        """Return a finding for this rule, in one of its texts; by default in the expression."""
        place = place_in(self.expr if text is None else text, diagnostic.part)
        return Finding(self.file, self.group, self.record or self.alert, diagnostic, place)


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
        yield _no_rule(path, str(error), error.place)
        return
    if not found:
        yield _no_rule(path, "is empty")
    yield from _unread(path, found)
    for document in found:
        yield from _document(path, document)


def _unread(path: Path, documents: list[Any]) -> Iterator[Finding]:
    """Yield a finding for the documents after a rule file of Prometheus, which skips them."""
    first, *others = documents or [None]
    if others and _is_mapping(first) and "groups" in first and "namespace" not in first:
        message = "has a second document, which Prometheus skips; move its groups to a file"
        yield _no_rule(path, message, place_of_fields(others[0]))


def _document(path: Path, document: Any) -> Iterator[Rule | Finding]:
    if _is_other_resource(document):
        return
    if _is_mapping(document) and str(document.get("kind", "")).endswith("List"):
        for item in _items(document):
            yield from _document(path, item)
        return
    holder = document.get("spec", document) if _is_mapping(document) else None
    groups = holder.get("groups") if _is_mapping(holder) else None
    if not _is_list(groups):
        message = "is not a rule file: it has no list of groups"
        yield _no_rule(path, message, place_of_fields(document))
        return
    for group in groups:
        yield from _group(path, group)


def _is_other_resource(document: Any) -> bool:
    """Return True for a Kubernetes resource without rules, such as a Deployment."""
    if not _is_mapping(document) or not {"apiVersion", "kind"} <= document.keys():
        return False
    return not str(document["kind"]).removesuffix("List").endswith("Rule") and not _items(document)


def _items(document: Mapping[Any, Any]) -> list[Any]:
    items: Any = document.get("items")
    return items if _is_list(items) else []


def _group(path: Path, group: Any) -> Iterator[Rule | Finding]:
    rules: Any = group.get("rules") if _is_mapping(group) else None
    if not _is_list(rules):
        yield _no_rule(path, "has a group without a list of rules", place_of_fields(group))
        return
    name = _text(group, "name")
    for rule in rules:
        yield _rule(path, name, rule)


def _rule(path: Path, group: str, rule: Any) -> Rule | Finding:
    place = place_of_fields(rule)
    if not _is_mapping(rule):
        return _no_rule(path, "has a rule that is not a mapping", place, group)
    record, alert = _text(rule, "record"), _text(rule, "alert")
    if bool(record) == bool(alert):
        message = "has a rule that neither records nor alerts, or both"
        return _no_rule(path, message, place, group)
    labels, annotations = (_texts(rule.get(key)) for key in ("labels", "annotations"))
    return Rule(str(path), group, record, alert, _text(rule, "expr"), labels, annotations)


def _no_rule(path: Path, message: str, place: Place = UNKNOWN_PLACE, group: str = "") -> Finding:
    return Finding(str(path), group, "", Diagnostic("file", message), place)


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

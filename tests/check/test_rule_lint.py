"""Rule files held against the catalogue, as a whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from otel_meta.check.finding import Diagnostic, DiagnosticKind, Finding, nearest_name
from otel_meta.check.rule_lint import check
from otel_meta.model import Catalog
from otel_meta.repos import BUILTIN

Write = Callable[..., Path]

ROOT = Path(__file__).parent.parent.parent


def test_committed() -> None:
    """Everything that the committed rules name exists, and everything that they join can match."""
    checked = check(BUILTIN, [ROOT / "rules"])

    assert () == checked.findings
    assert (len(list(ROOT.glob("rules/*.yml"))), True) == (checked.files, checked.rules > 100)


@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.glob("rules/*.yml")))
def test_alone(name: str) -> None:
    """Each file is right by itself: what the others record is known from the catalogue."""
    assert () == check(BUILTIN, [ROOT / "rules" / name]).findings


def test_other_catalogue(atlas: Catalog) -> None:
    """What another catalogue does not declare is found."""
    kinds = {finding.diagnostic.kind for finding in check(atlas, [ROOT / "rules"]).findings}

    assert {"metric", "value"} <= kinds


def test_together(atlas: Catalog, rule_file: Write) -> None:
    """What one file records another may read."""
    record = "groups: [{name: g, rules: [{record: 'a:b:c', expr: vector(1)}]}]"
    read = "groups: [{name: g, rules: [{alert: A, expr: 'a:b:c > 1'}]}]"
    one, other = rule_file(record, "one.yml"), rule_file(read, "other.yml")

    assert ["recording"] == [f.diagnostic.kind for f in check(atlas, [other]).findings]
    assert () == check(atlas, [other, one]).findings


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("file", "{}"),
        ("expression", "{alert: A, expr: 'sum('}"),
        ("metric", "{alert: A, expr: atlas_tile}"),
        ("recording", "{alert: A, expr: 'a:b:c'}"),
        ("label", "{alert: A, expr: 'atlas_tiles{layr=\"roads\"}'}"),
        ("value", "{alert: A, expr: 'atlas_tiles{layer=\"road\"}'}"),
        ("selector", "{alert: A, expr: 'atlas_tiles{layer=\"\"}'}"),
        ("function", "{alert: A, expr: 'rate(atlas_tiles[5m])'}"),
        ("join", "{alert: A, expr: 'atlas_tiles and vector(1)'}"),
        ("template", "{alert: A, expr: atlas_tiles, annotations: {a: '{{ $labels.layr }}'}}"),
    ],
)
def test_kinds(kind: DiagnosticKind, rule: str, atlas: Catalog, rule_file: Write) -> None:
    """Each kind of mistake in a rule file is found, once."""
    path = rule_file(f"groups: [{{name: g, rules: [{rule}]}}]")

    assert [kind] == [finding.diagnostic.kind for finding in check(atlas, [path]).findings]


def test_once(atlas: Catalog, rule_file: Write) -> None:
    """The same mistake twice in one rule is one finding."""
    path = rule_file("groups: [{name: g, rules: [{alert: A, expr: nobody / nobody}]}]")

    assert 1 == len(check(atlas, [path, path]).findings)


class TestFinding:
    def test_place(self) -> None:
        """A finding says file, group, rule, what is wrong, and what was meant."""
        finding = Finding("a.yml", "g", "r", Diagnostic("label", "x has no label y", "z"))

        assert "a.yml: g: r: x has no label y; did you mean z?" == str(finding)

    def test_whole_file(self) -> None:
        """Of a file there is no more to say than its name."""
        assert "a.yml: is no YAML" == str(
            Finding("a.yml", "", "", Diagnostic("file", "is no YAML"))
        )

    def test_one_line(self) -> None:
        """A finding is one line, whatever a file puts into names."""
        finding = Finding("a\nb.yml", "g\r\n", "r\u2028", Diagnostic("metric", "no\n\nx"))

        assert 1 == len(str(finding).splitlines())

    @pytest.mark.parametrize(("wrong", "near"), [("slp", "slo"), ("", ""), ("xxxx", "")])
    def test_nearest(self, wrong: str, near: str) -> None:
        """The nearest name is offered only if it is near."""
        assert near == nearest_name(wrong, ["slo", "service_name"])

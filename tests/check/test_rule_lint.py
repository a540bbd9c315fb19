"""Rule files held against the catalogue, as a whole."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from otel_meta.check.finding import Diagnostic, DiagnosticKind, Finding
from otel_meta.check.rule_lint import check
from otel_meta.model import Catalog
from otel_meta.model.arguments import nearest_name
from otel_meta.render.artifacts import rule_files
from otel_meta.render.options import ANCHORED, Options
from otel_meta.render.rules.rule_formats import FORMATS
from otel_meta.repos import BUILTIN
from tests.rules.pinned_tools import tool

Write = Callable[..., Path]

ROOT = Path(__file__).parent.parent.parent


def test_committed_rules_have_no_findings() -> None:
    """The committed rules have no findings."""
    checked = check(BUILTIN, [ROOT / "rules"])

    assert () == checked.findings
    assert (len(list(ROOT.glob("rules/*.yml"))), True) == (checked.files, checked.rules > 100)


@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.glob("rules/*.yml")))
def test_each_committed_file_has_no_findings_by_itself(name: str) -> None:
    """Each committed file has no findings by itself."""
    assert () == check(BUILTIN, [ROOT / "rules" / name]).findings


def test_rules_of_undeclared_meta_repository_have_findings(atlas: Catalog) -> None:
    """Rules of an undeclared meta-repository have findings."""
    kinds = {finding.diagnostic.kind for finding in check(atlas, [ROOT / "rules"]).findings}

    assert {"metric", "value"} <= kinds


def test_file_may_read_series_that_another_file_records(atlas: Catalog, rule_file: Write) -> None:
    """A file may read series that another file records."""
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
def test_each_kind_of_mistake_is_found_once(
    kind: DiagnosticKind, rule: str, atlas: Catalog, rule_file: Write
) -> None:
    """Each kind of mistake is found once."""
    path = rule_file(f"groups: [{{name: g, rules: [{rule}]}}]")

    assert [kind] == [finding.diagnostic.kind for finding in check(atlas, [path]).findings]


def test_repeated_mistake_in_one_rule_is_one_finding(atlas: Catalog, rule_file: Write) -> None:
    """A repeated mistake in one rule is one finding."""
    path = rule_file("groups: [{name: g, rules: [{alert: A, expr: nobody / nobody}]}]")

    assert 1 == len(check(atlas, [path, path]).findings)


class TestFinding:
    def test_finding_names_file_group_rule_mistake_and_suggestion(self) -> None:
        """A finding names file, group, rule, mistake and suggestion."""
        finding = Finding("a.yml", "g", "r", Diagnostic("label", "x has no label y", "z"))

        assert "a.yml: g: r: x has no label y; did you mean z?" == str(finding)

    def test_finding_about_file_has_no_group_and_no_rule(self) -> None:
        """A finding about a file has no group and no rule."""
        assert "a.yml: is not YAML" == str(
            Finding("a.yml", "", "", Diagnostic("file", "is not YAML"))
        )

    def test_finding_is_one_line_even_if_names_contain_newlines(self) -> None:
        """A finding is one line even if names contain newlines."""
        finding = Finding("a\nb.yml", "g\r\n", "r\u2028", Diagnostic("metric", "no\n\nx"))

        assert 1 == len(str(finding).splitlines())

    @pytest.mark.parametrize(("wrong", "near"), [("slp", "slo"), ("", ""), ("xxxx", "")])
    def test_only_similar_name_is_suggested(self, wrong: str, near: str) -> None:
        """Only a similar name is suggested."""
        assert near == nearest_name(wrong, ["slo", "service_name"])


def test_rules_that_read_native_histograms_have_no_findings(tmp_path: Path) -> None:
    """Generated rules that read native histograms have no findings, and promtool accepts them."""
    options = Options(prometheus=ANCHORED, native_histograms=True)
    for file in rule_files(BUILTIN, options):
        (tmp_path / f"{file.name}.yml").write_text(FORMATS["prometheus"](file))
    paths = sorted(tmp_path.iterdir())

    assert any("histogram_fraction" in path.read_text() for path in paths)
    assert () == check(BUILTIN, paths, options).findings
    subprocess.run([tool("promtool"), "check", "rules", *paths], check=True, capture_output=True)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.check.finding import Diagnostic, Finding, Place
from otel_meta.check.rule_files import Rule, files_in, read_rules
from otel_meta.errors import UsageError
from otel_meta.render.artifacts import rule_files
from otel_meta.render.options import Options
from otel_meta.render.rules.rule_formats import FORMATS
from otel_meta.repos import BUILTIN

Write = Callable[..., Path]

GROUPS = """\
groups:
- name: atlas
  rules:
  - record: atlas:requests:rate5m
    expr: rate(atlas_requests_total[5m])
    labels: {tier: 1}
  - alert: AtlasDown
    expr: 1
    annotations: {summary: "It is down since 2026-01-01."}
"""
RESOURCE = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: atlas}
spec:
  groups:
  - name: atlas
    rules: [{record: a, expr: b}]
"""


class TestFormats:
    @pytest.mark.parametrize("form", FORMATS)
    def test_every_generated_format_is_read_rule_by_rule(self, form: str, rule_file: Write) -> None:
        """Every generated format is read rule by rule."""
        (file, *_) = rule_files(BUILTIN, Options())
        path = rule_file(FORMATS[form](file))
        wanted = [(group.name, rule.expr) for group in file.groups for rule in group.rules]

        assert wanted == [(r.group, r.expr) for r in read_rules(path) if isinstance(r, Rule)]

    def test_numbers_are_read_as_text(self, rule_file: Write) -> None:
        """Numbers are read as text."""
        recording, alert = read_rules(rule_file(GROUPS))

        assert isinstance(recording, Rule)
        assert {"tier": "1"} == recording.labels
        assert isinstance(alert, Rule)
        assert ("AtlasDown", "1") == (alert.alert, alert.expr)

    def test_every_document_of_file_is_read_except_empty_documents(self, rule_file: Write) -> None:
        """Every document of a file is read, except empty documents."""
        path = rule_file(f"---\n---\n{RESOURCE}---\n{GROUPS}---\nnamespace: x\n{GROUPS}")

        assert ["", "", "AtlasDown", "", "AtlasDown"] == [
            rule.alert for rule in read_rules(path) if isinstance(rule, Rule)
        ]

    def test_anchors_and_merge_keys_are_resolved(self, rule_file: Write) -> None:
        """Anchors and merge keys are resolved."""
        path = rule_file(
            """\
            x: &x {team: maps}
            groups: [{name: g, rules: [{record: a, expr: b, labels: {<<: *x, tier: 2}}]}]
            """
        )
        (rule,) = read_rules(path)

        assert isinstance(rule, Rule)
        assert {"team": "maps", "tier": "2"} == rule.labels


class TestManifests:
    def test_resources_without_rules_are_passed_over(self, rule_file: Write) -> None:
        """Resources of Kubernetes without rules are passed over."""
        other = "apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: 2}\n"
        found = list(read_rules(rule_file(f"{other}---\n{RESOURCE}---\n{other}")))

        assert ["a"] == [rule.record for rule in found if isinstance(rule, Rule)]
        assert 1 == len(found)

    def test_resource_of_rules_without_groups_is_finding(self, rule_file: Write) -> None:
        """A resource of rules without groups is a finding."""
        text = "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec: {}\n"
        (finding,) = read_rules(rule_file(text))

        assert isinstance(finding, Finding)

    def test_items_of_list_are_read(self, rule_file: Write) -> None:
        """The items of a list of resources are read."""
        item = "{apiVersion: x/v1, kind: VMRule, spec: {groups: [{rules: [{record: a, expr: b}]}]}}"
        text = f"apiVersion: v1\nkind: List\nitems: [{item}, {item}]\n"

        assert ["a", "a"] == [
            rule.record for rule in read_rules(rule_file(text)) if isinstance(rule, Rule)
        ]

    def test_second_document_that_prometheus_skips_is_finding(self, rule_file: Write) -> None:
        """A second document of a rule file, which Prometheus skips, is a finding with its line."""
        found = list(read_rules(rule_file(f"{GROUPS}---\n{GROUPS}")))
        (finding,) = (each for each in found if isinstance(each, Finding))

        assert "second document, which Prometheus skips" in str(finding)
        assert len(GROUPS.splitlines()) + 2 == finding.place.line
        assert 4 == len([each for each in found if isinstance(each, Rule)])


class TestPlaces:
    TEXT = """\
# A comment with unicode: \u00e9\u00e8
groups:
- name: g
  rules:
  - alert: A
    expr: >
      first_one
        + second_one
  - {alert: B, expr: 'one + two'}
  - alert: C
    expr:
      "three
      + four"
  - alert: D
    expr: |2-

        five
"""

    @pytest.mark.parametrize(
        ("alert", "part", "line", "column"),
        [
            ("A", "", 7, 7),
            ("A", "second_one", 8, 11),
            ("A", "absent", 7, 7),
            ("B", "", 9, 22),
            ("B", "two", 9, 29),
            ("C", "three", 12, 8),
            ("C", "four", 13, 9),
            ("D", "five", 17, 9),
        ],
    )
    def test_place_of_part_is_its_line_and_column(
        self, alert: str, part: str, line: int, column: int, rule_file: Write
    ) -> None:
        """The place of a part of an expression is its line and column, in every style of YAML."""
        rules = [each for each in read_rules(rule_file(self.TEXT)) if isinstance(each, Rule)]
        (rule,) = (each for each in rules if each.alert == alert)

        assert Place(line, column) == rule.finding(Diagnostic("metric", "x", part=part)).place

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("a: 1\nb: [", 2),
            ("groups:\n- name: g\n- rules: []\n", 2),
            ("groups:\n- name: g\n  rules:\n  - record: a\n  - alert: b\n  - expr: c\n", 6),
            ("groups:\n- name: g\n  rules:\n  - text\n", 4),
        ],
    )
    def test_finding_about_file_has_its_line(self, text: str, line: int, rule_file: Write) -> None:
        """A finding about a part of a file that is no rule has the line of the part."""
        (finding,) = (each for each in read_rules(rule_file(text)) if isinstance(each, Finding))

        assert line == finding.place.line


class TestNoRuleFile:
    @pytest.mark.parametrize(
        ("text", "wrong"),
        [
            ("groups: [", "is not YAML"),
            ("a: !!timestamp x", "is not YAML"),
            ("a: !!python/object:os.system x", "is not YAML"),
            ("{" * 5000, "is not YAML"),
            ("\x00", "is not YAML"),
            ("", "is empty"),
            ("just text", "no list of groups"),
            ("[1, 2]", "no list of groups"),
            ("groups: 5", "no list of groups"),
            ("spec: 5", "no list of groups"),
            ("groups: [5]", "without a list of rules"),
            ("groups: [{name: g, rules: 5}]", "without a list of rules"),
            ("groups: [{name: g, rules: [5]}]", "not a mapping"),
            ("groups: [{name: g, rules: [{expr: a}]}]", "neither records nor alerts"),
            ("groups: [{name: g, rules: [{record: a, alert: a}]}]", "neither records nor alerts"),
        ],
    )
    def test_file_without_rules_is_finding_with_reason(
        self, text: str, wrong: str, rule_file: Write
    ) -> None:
        """A file without rules is a finding with a reason."""
        (finding,) = read_rules(rule_file(text))

        assert isinstance(finding, Finding)
        assert wrong in str(finding)
        assert "file" == finding.diagnostic.kind

    def test_invalid_utf_8_is_finding(self, tmp_path: Path) -> None:
        """Invalid UTF-8 is a finding."""
        path = tmp_path / "rules.yml"
        path.write_bytes(b"\xff\xfe\x00\xd8")
        (finding,) = read_rules(path)

        assert isinstance(finding, Finding)

    @given(text=st.text("{}[]&*!|>:- \n#%@abgroupsle'\"<\t", max_size=40))
    def test_any_text_is_read_without_exception(
        self, text: str, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        """Any text is read without an exception."""
        path = tmp_path_factory.getbasetemp() / "any.yml"
        path.write_text(text)

        assert list(read_rules(path))


class TestFilesIn:
    def test_folder_yields_its_rule_files_and_those_of_its_subfolders(self, tmp_path: Path) -> None:
        """A folder yields its rule files and those of its subfolders in order."""
        (tmp_path / "deep").mkdir()
        for name in ("b.yml", "a.yaml", "c.rules", "deep/d.yml", "readme.md"):
            (tmp_path / name).touch()

        assert ["a.yaml", "b.yml", "c.rules", "d.yml"] == [p.name for p in files_in(tmp_path)]

    def test_file_is_read_whatever_its_extension(self, tmp_path: Path) -> None:
        """A file is read whatever its extension is."""
        path = tmp_path / "rules.txt"
        path.touch()

        assert [path] == files_in(path)

    def test_folder_without_rule_files_is_usage_error(self, tmp_path: Path) -> None:
        """A folder without rule files is a usage error."""
        with pytest.raises(UsageError, match=r"the folder has no \.rules, \.yaml, \.yml file"):
            files_in(tmp_path)

    def test_missing_path_is_usage_error(self, tmp_path: Path) -> None:
        """A missing path is a usage error."""
        with pytest.raises(UsageError, match="there is no such file or folder"):
            files_in(tmp_path / "nowhere")

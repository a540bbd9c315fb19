from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.check.finding import Finding
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
        path = rule_file(f"---\n---\n{GROUPS}---\n{RESOURCE}---\nnamespace: x\n{GROUPS}")

        assert ["", "AtlasDown", "", "", "AtlasDown"] == [
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

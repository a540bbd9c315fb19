"""Reports of findings for people, programs and code hosts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otel_meta.check.finding import MEANINGS, Diagnostic, Finding, Place
from otel_meta.check.reports import REPORTS, as_github, as_json, as_sarif, as_text
from otel_meta.cli import main

Write = Callable[..., Path]
Output = pytest.CaptureFixture[str]

ONE = Finding("rules/a b.yml", "g", "A", Diagnostic("label", "x has no label y", "z"), Place(7, 12))
WHOLE = Finding("c.yml", "", "", Diagnostic("file", "is empty"))
DECLARED = Finding("", "", "", Diagnostic("declaration", "slo 'a': is declared twice; rename one"))
ALL = (ONE, WHOLE, DECLARED)
BAD = """\
groups:
- name: g
  rules:
  - alert: A
    expr: |
      # The first line of the block.
      orders_placed_total
        + orders_placed_totals
    annotations:
      summary: "50 %: {{ $labels.servce_name }}"
"""


def sarif(*findings: Finding) -> Any:
    """Return the run of a log."""
    return json.loads(as_sarif(findings))["runs"][0]


class TestText:
    def test_place_is_file_and_line(self) -> None:
        """The place is the file and the line, where they are known."""
        assert [
            "rules/a b.yml:7: g: A: x has no label y; did you mean z?",
            "c.yml: is empty",
            "slo 'a': is declared twice; rename one",
        ] == as_text(ALL).splitlines()


class TestJson:
    def test_finding_is_an_object(self) -> None:
        """A finding is an object with its place, kind, message and suggestion."""
        assert {
            "file": "rules/a b.yml",
            "line": 7,
            "column": 12,
            "group": "g",
            "rule": "A",
            "kind": "label",
            "message": "x has no label y",
            "suggestion": "z",
        } == json.loads(as_json(ALL))[0]

    def test_no_finding_is_an_empty_list(self) -> None:
        """No finding is an empty list."""
        assert [] == json.loads(as_json([]))


class TestSarif:
    def test_log_has_version_and_tool(self) -> None:
        """A log has the version of the format, and names the tool with its rules."""
        log = json.loads(as_sarif([]))
        driver = log["runs"][0]["tool"]["driver"]

        assert ("2.1.0", "otel-meta", []) == (
            log["version"],
            driver["name"],
            log["runs"][0]["results"],
        )
        assert [*MEANINGS] == [rule["id"] for rule in driver["rules"]]
        assert all(rule["shortDescription"]["text"].endswith(".") for rule in driver["rules"])

    def test_result_has_rule_level_message_and_region(self) -> None:
        """A result has its rule, level, message and region."""
        (result,) = sarif(ONE)["results"]

        assert ("label", "error") == (result["ruleId"], result["level"])
        assert "label" == [*MEANINGS][result["ruleIndex"]]
        assert "g: A: x has no label y; did you mean z?" == result["message"]["text"]
        assert [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "rules/a%20b.yml"},
                    "region": {"startLine": 7, "startColumn": 12},
                }
            }
        ] == result["locations"]

    def test_result_without_line_has_no_region(self) -> None:
        """A result without a line has no region, and without a file no location."""
        whole, declared = sarif(WHOLE, DECLARED)["results"]

        assert ["artifactLocation"] == [*whole["locations"][0]["physicalLocation"]]
        assert "locations" not in declared

    def test_path_inside_working_directory_is_relative(self, tmp_path: Path) -> None:
        """A path inside the working directory is relative; another path is a file URI."""
        inside, outside = Path.cwd() / "rules" / "x.yml", tmp_path / "x.yml"
        results = sarif(*(Finding(str(p), "", "", WHOLE.diagnostic) for p in (inside, outside)))
        uris = [
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            for result in results["results"]
        ]

        assert ["rules/x.yml", outside.as_uri()] == uris


class TestGithub:
    def test_finding_is_a_workflow_command(self) -> None:
        """A finding is a workflow command with file, line and column."""
        assert [
            f"::error file=rules/a b.yml,line=7,col=12,title=otel-meta%3A label::{ONE.subject}",
            "::error file=c.yml,title=otel-meta%3A file::is empty",
            "::error title=otel-meta%3A declaration::slo 'a': is declared twice; rename one",
        ] == as_github(ALL).splitlines()

    def test_signs_of_commands_are_escaped(self) -> None:
        """Signs with a meaning in commands are escaped."""
        finding = Finding("a,b:c%.yml", "g", "r", Diagnostic("metric", "50% :: gone"))

        assert (
            "::error file=a%2Cb%3Ac%25.yml,title=otel-meta%3A metric::g: r: 50%25 :: gone"
            == as_github([finding])
        )


@pytest.mark.parametrize("form", REPORTS)
def test_exit_code_does_not_depend_on_format(form: str, capsys: Output, rule_file: Write) -> None:
    """The exit code is 1 with findings and 0 without, in every format."""
    good = rule_file("groups: [{name: g, rules: [{record: 'a:b:c', expr: up}]}]", "good.yml")

    assert [1, 0] == [
        main(["check", "--rules", str(path), "--format", form]) for path in (rule_file(BAD), good)
    ]
    assert "" == capsys.readouterr().err


def test_line_and_column_are_those_of_wrong_name(capsys: Output, rule_file: Write) -> None:
    """The line and the column are those of the wrong name in the file."""
    path = rule_file(BAD)
    main(["check", "--rules", str(path), "--format", "json"])
    lines = path.read_text().splitlines()
    found: list[str] = [
        lines[each["line"] - 1][each["column"] - 1 :].split("}")[0].strip()
        for each in json.loads(capsys.readouterr().out)
    ]

    assert ["orders_placed_totals", "servce_name"] == found


def test_findings_of_declarations_have_a_place(
    capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finding about a declaration has the file and the line of the declaration."""
    (tmp_path / "repo_for_reports.py").write_text(
        "from otel_meta import Counter, NoLabels\n\nbad = Counter('A-B', 'Text.', NoLabels)\n"
    )
    monkeypatch.chdir(tmp_path)

    assert 1 == main(["check", "--repo", "repo_for_reports:Any", "--format", "json"])
    (found,) = json.loads(capsys.readouterr().out)
    assert ("repo_for_reports.py", 3, "declaration") == (
        found["file"],
        found["line"],
        found["kind"],
    )

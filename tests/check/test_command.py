"""``otel-meta check --rules``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from otel_meta.cli import main

Write = Callable[..., Path]
Output = pytest.CaptureFixture[str]

ROOT = Path(__file__).parent.parent.parent
WRONG = """\
groups:
- name: g
  rules:
  - alert: A
    expr: http_server_request_duration_seconds
  - alert: B
    expr: slo:burn_rate:1h{slo="nebula"}
"""


def test_exit_code_is_0_without_findings(capsys: Output) -> None:
    """The exit code is 0 without findings."""
    assert 0 == main(["check", "--rules", str(ROOT / "rules")])
    assert " rules: no findings\n" in capsys.readouterr().out


def test_exit_code_is_1_with_findings_one_line_each(capsys: Output, rule_file: Write) -> None:
    """The exit code is 1 with findings, one line each."""
    path = rule_file(WRONG)

    assert 1 == main(["check", "--rules", str(path)])
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{path}:5: g: A: no metric of the catalogue has a series http_server_")
    assert first.endswith("did you mean http_server_request_duration_seconds_sum?")
    assert second.startswith(f'{path}:7: g: B: slo of slo:burn_rate:1h is never "nebula"')


def test_option_accepts_several_files_and_folders(capsys: Output, rule_file: Write) -> None:
    """The option accepts several files and folders."""
    path = str(rule_file(WRONG))
    rules = str(ROOT / "rules")

    assert [1, 1] == [
        main(["check", "--rules", rules, path]),
        main(["check", "--rules", path, "--rules", rules]),
    ]
    assert 4 == len(capsys.readouterr().out.splitlines())


def test_exit_code_is_2_for_missing_path(capsys: Output, tmp_path: Path) -> None:
    """The exit code is 2 for a missing path."""
    path = tmp_path / "nowhere"

    assert 2 == main(["check", "--rules", str(path)])
    captured = capsys.readouterr()
    assert "" == captured.out
    assert f"otel-meta: --rules {path}: there is no such file or folder\n" == captured.err


def test_rules_are_checked_against_another_catalogue_and_its_recordings(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, rule_file: Write
) -> None:
    """Rules are checked against another catalogue and its recordings."""
    path = rule_file(
        "groups: [{name: g, rules: [{alert: A, expr: 'slo:bad:increase5m{slo=\"a-b\"} > 1'}]}]"
    )
    rule_file(
        """\
        from otel_meta import Counter, MetaRepo, NoLabels, Slo
        class Other(MetaRepo, name="other", owner="o"):
            done = Counter("other.done", "Done.", NoLabels)
            lost = Counter("other.lost", "Lost.", NoLabels)
            slo = Slo("a-b", objective="99%", period="30d", sli=done.ratio(bad=lost), why="Why.")
        """,
        "other_for_rules.py",
    )
    monkeypatch.syspath_prepend(path.parent)
    options = ["--only", "--repo", "other_for_rules:Other"]

    assert [0, 1] == [
        main(["check", *options, "--rules", str(path)]),
        main(["check", "--rules", str(path)]),
    ]


def test_command_checks_catalogue_alone_without_rules(capsys: Output) -> None:
    """The command checks the catalogue alone without rules."""
    assert 0 == main(["check"])
    assert capsys.readouterr().out.endswith(": no problems\n")


@pytest.mark.parametrize("package", ["promql_parser", "yaml"])
def test_exit_code_is_2_if_parser_is_not_installed(package: str) -> None:
    """The exit code is 2 if a parser is not installed, with the package to install."""
    program = (
        f"import sys; sys.modules[{package!r}] = None; from otel_meta.cli import main; "
        "sys.exit(main(['check', '--rules', 'rules']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, cwd=ROOT, text=True
    )

    assert 2 == done.returncode
    assert "otel-meta: Checking rules needs: pip install 'otel_meta[generate]'\n" == done.stderr


def test_relative_links_of_alerts_are_a_note(capsys: Output) -> None:
    """A check of rules says that links of alerts lead nowhere, and is no finding."""
    assert 0 == main(["check", "--rules", str(ROOT / "rules")])
    assert "lead nowhere from a notification" in capsys.readouterr().out

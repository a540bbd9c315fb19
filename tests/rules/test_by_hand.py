"""Cases written by hand for whole committed rule files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.rules.committed_rules import committed_groups
from tests.rules.pinned_tools import RULES, tool
from tests.yaml_files import read_yaml

FOLDER = Path(__file__).parent
FILES = sorted(path.name for path in FOLDER.glob("*.test.yml"))


@pytest.mark.parametrize("file", FILES)
def test_committed_rules_pass_cases_of_file(file: str, tmp_path: Path) -> None:
    """The committed rules pass the cases of the file."""
    done = subprocess.run(
        [tool("promtool"), "test", "rules", _with_its_groups_alone(file, tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr), done.stdout


def _with_its_groups_alone(file: str, folder: Path) -> Path:
    """Write the cases with the groups that they order: the others would take most of the time."""
    cases = read_yaml((FOLDER / file).read_text())
    groups = [g for path in cases["rule_files"] for g in committed_groups()[Path(path).stem]]
    ordered = [group for group in groups if group["name"] in cases["group_eval_order"]]
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": ordered}))
    (folder / file).write_text(yaml.safe_dump(cases | {"rule_files": ["rules.yml"]}))
    return folder / file


def test_promtools_linter_accepts_all_committed_files_together() -> None:
    """Promtool's linter accepts all committed files together."""
    done = subprocess.run(
        [tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *RULES.glob("*.yml")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr

"""The README's examples have the shown results."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"<!-- (?P<name>[\w.]+) -->\n```\w*\n(?P<text>.*?)```", re.DOTALL)
_RECORD_AND_SHOW = """
for _ in range(996):
    atlas.routes.add(1, mode="car", outcome="found")
for _ in range(3):
    atlas.routes.add(1, mode="car", outcome="failed")
import json
print(telemetry.scrape.render("")[0].decode())
print(json.dumps(telemetry.tracker.status(Atlas.availability).as_json()))
"""


@pytest.fixture(scope="module")
def blocks() -> dict[str, str]:
    """The named blocks of the README."""
    text = (_ROOT / "README.md").read_text()
    return {found["name"]: found["text"] for found in _BLOCK.finditer(text)}


@pytest.fixture(scope="module")
def folder(blocks: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the README."""
    where = tmp_path_factory.mktemp("readme")
    for name in ("atlas.py", "service.py", "app.py"):
        (where / name).write_text(blocks[name])
    return where


@pytest.fixture(scope="module")
def printed(folder: Path) -> str:
    """The output of the README's service after the described calls."""
    (folder / "shown.py").write_text((folder / "service.py").read_text() + _RECORD_AND_SHOW)
    return _python(folder, "shown.py")


class TestReadme:
    def test_shows_series_that_are_exposed(self, blocks: dict[str, str], printed: str) -> None:
        """Each line of the shown exposition is exposed."""
        shown = blocks["metrics"].splitlines()

        assert [] == [line for line in shown if line not in printed.splitlines()]

    def test_shows_the_status_that_is_answered(self, blocks: dict[str, str], printed: str) -> None:
        """Each field of the shown status has the real value."""
        status = json.loads(printed.splitlines()[-1])
        shown = json.loads(blocks["slo"])

        assert shown == {key: status[key] for key in shown}

    def test_shows_a_rule_that_is_generated(
        self, blocks: dict[str, str], folder: Path, tmp_path: Path
    ) -> None:
        """The shown rule is in the generated file."""
        chosen = ("--repo", "atlas:Atlas", "--only", "--out", str(tmp_path))
        _python(folder, "-m", "otel_meta", "generate", *chosen)
        (written,) = tmp_path.glob("rules/atlas-maps.recording.yml")

        assert blocks["rule"] in written.read_text()

    def test_shows_the_repositories_that_there_are(self, blocks: dict[str, str]) -> None:
        """The shown table is the output of the command."""
        command, _, table = blocks["show"].partition("\n")

        assert "$ otel-meta show repos" == command
        assert table == _python(_ROOT, "-m", "otel_meta", "show", "repos")

    def test_shows_the_refusal_of_a_wrong_bound(self, blocks: dict[str, str], folder: Path) -> None:
        """The shown error is raised."""
        expected = blocks["refused"].splitlines()[1].partition(": ")[2]
        script = (
            "from atlas import Atlas\n"
            "try:\n    Atlas.duration.within(0.3)\n"
            "except Exception as e:\n    print(e)"
        )

        assert expected == _python(folder, "-c", script).strip()

    def test_has_an_app_that_is_instrumented(self, folder: Path) -> None:
        """The shown FastAPI application has aurora's SLOs at /slo."""
        script = (
            "import app, fastapi.testclient as t\n"
            "page = t.TestClient(app.app).get('/slo').json()\n"
            "print(page['slos'][0]['name'])"
        )

        assert "aurora-api-availability" in _python(folder, "-c", script)


def _python(folder: Path, *args: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, *args],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONTRACTS = [
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
]

# What would break each contract: a module, and a line in it.
BREACHES = {
    "Stages point one way": ("model/duration.py", "import otel_meta.runtime"),
    "What is said and what follows from it needs no OpenTelemetry": (
        "repos/nebula.py",
        "import structlog",
    ),
    "A process in production loads no generator, no YAML and no command": (
        "runtime/settings.py",
        "import yaml",
    ),
    "The web framework is imported in one file": ("web/middleware.py", "import starlette"),
}


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the package below a folder against the contracts that stand there."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=root,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )


class TestContracts:
    def test_kept(self) -> None:
        """Every stage imports what it may, and nothing else."""
        run = lint(ROOT)

        assert 0 == run.returncode, run.stdout + run.stderr

    def test_all(self) -> None:
        """Each contract is shown below to be one that can be broken."""
        assert list(BREACHES) == CONTRACTS

    @pytest.mark.parametrize("contract", BREACHES)
    def test_broken(self, contract: str, tmp_path: Path) -> None:
        """One import in the wrong place breaks its contract."""
        module, line = BREACHES[contract]
        shutil.copy(ROOT / "pyproject.toml", tmp_path)
        shutil.copytree(ROOT / "otel_meta", tmp_path / "otel_meta")
        with (tmp_path / "otel_meta" / module).open("a") as file:
            file.write(f"{line}\n")

        run = lint(tmp_path)

        assert 1 == run.returncode
        assert f"{contract} BROKEN" in run.stdout

"""The native core for tests that compare it with the Python core."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[3] / "tools" / "native_core.py"


def native_folder() -> Path:
    """Return the folder with the native core; build it first if necessary.

    Without a C compiler, the test is skipped. If CI is set, it fails.
    """
    tool = runpy.run_path(str(TOOL))
    try:
        folder: Path = tool["build"]()
    except tool["NoCompiler"] as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    return folder

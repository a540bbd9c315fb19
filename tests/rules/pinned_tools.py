"""Paths of the repository and of the pinned programs."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "rules"


@cache
def build_tool() -> ModuleType:
    """Import tools/build.py by path, since `import build` finds the packaging tool."""
    spec = importlib.util.spec_from_file_location("otel_meta_rule_tools", ROOT / "tools/build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@cache
def tool(name: str) -> Path:
    """Return a pinned program; if it is missing, the error suggests `make tools`."""
    path: Path = build_tool().find(name)
    return path

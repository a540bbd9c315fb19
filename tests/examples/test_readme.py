from __future__ import annotations

import re
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
README = (EXAMPLES / "README.md").read_text()


class TestReadme:
    def test_complete(self) -> None:
        """Every example is named, and nothing that is not there."""
        named = set(re.findall(r"`([\w/]+\.py)`", README))
        there = {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.py")}

        assert there == named

    def test_commands(self) -> None:
        """Every option that a command shows is one that its example has."""
        commands = re.findall(r"`python examples/([\w/]+\.py) ([^`]*)`", README)
        unknown = [
            (path, option)
            for path, options in commands
            for option in re.findall(r"--[a-z]+", options)
            if f'"{option}"' not in (EXAMPLES / path).read_text()
        ]

        assert commands
        assert [] == unknown

    def test_variables(self) -> None:
        """Every variable of their own that is named is one that they read."""
        source = "".join(path.read_text() for path in EXAMPLES.rglob("*.py"))
        named = set(re.findall(r"`((?:STOREFRONT|PAYMENTS|INFERENCE)_[A-Z_]+)", README))
        read = set(re.findall(r'environ\.get\("([A-Z_]+)"', source))

        assert read == named

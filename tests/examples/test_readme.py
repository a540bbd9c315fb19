from __future__ import annotations

import re
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
README = (EXAMPLES / "README.md").read_text()


class TestReadme:
    def test_readme_names_every_example(self) -> None:
        """The README names every example."""
        named = set(re.findall(r"`([\w/]+\.py)`", README))
        there = {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.py")}

        assert there == named

    def test_every_option_in_shown_command_exists(self) -> None:
        """Every option in a shown command exists."""
        commands = re.findall(r"`python examples/([\w/]+\.py) ([^`]*)`", README)
        unknown = [
            (path, option)
            for path, options in commands
            for option in re.findall(r"--[a-z]+", options)
            if f'"{option}"' not in (EXAMPLES / path).read_text()
        ]

        assert commands
        assert [] == unknown

    def test_every_named_variable_is_read_by_example(self) -> None:
        """Every named variable is read by an example."""
        source = "".join(path.read_text() for path in EXAMPLES.rglob("*.py"))
        named = set(re.findall(r"`((?:STOREFRONT|PAYMENTS|INFERENCE)_[A-Z_]+)", README))
        read = set(re.findall(r'environ\.get\("([A-Z_]+)"', source))

        assert read == named

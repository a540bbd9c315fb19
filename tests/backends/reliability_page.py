"""The generated sections of docs/reliability.md, each between two marks in the page.

A run of the tests prints them. ``RELIABILITY=write`` in the environment also rewrites the page.
"""

from __future__ import annotations

import re

from tests.backends.loss_accounting import FaultResult, markdown_table
from tests.rules.pinned_tools import ROOT

PAGE = ROOT / "docs" / "reliability.md"

fault_results: dict[str, FaultResult] = {}
"""The results of this run, by the name of the fault."""
fault_names: list[str] = []
"""All faults and controls in the order of declaration."""
path_differences: dict[str, str] = {}
"""The differences seen in this run, each with its export path."""


def current_sections() -> dict[str, str]:
    """Return the sections of this run by name; a section without results is left out."""
    ran = [name for name in fault_names if name in fault_results]
    texts = {
        "faults": markdown_table(fault_results[name].cells(name) for name in ran),
        "parity": "\n".join(f"- {path}: {text}" for text, path in path_differences.items()),
    }
    results = {"faults": fault_results, "parity": path_differences}
    return {name: text for name, text in texts.items() if results[name]}


def published_section(name: str) -> str:
    """Return the text of a section in the page."""
    return _find_section(name, PAGE.read_text())[2].strip()


def publish_sections() -> None:
    """Replace the sections in the page by those of this run."""
    text = PAGE.read_text()
    for name, section in current_sections().items():
        found = _find_section(name, text)
        text = f"{text[: found.start(2)]}\n{section}\n{text[found.end(2) :]}"
    PAGE.write_text(text)


def _find_section(name: str, text: str) -> re.Match[str]:
    marked = rf"(<!-- {name}: [^\n]* -->)(.*?)(<!-- end of {name} -->)"
    found = re.search(marked, text, re.DOTALL)
    assert found, f"{PAGE.name} has no marks for the section {name}"
    return found

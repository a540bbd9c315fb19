"""What the tests of backends find out: printed at the end of a run, kept in docs/reliability.md.

Each part stands there between two marks. ``RELIABILITY=write`` in the environment writes it anew.
"""

from __future__ import annotations

import re

from tests.backends.ledger import Row, markdown
from tests.rules.pinned_tools import ROOT

PAGE = ROOT / "docs" / "reliability.md"

rows: dict[str, Row] = {}
"""What came of each fault of this run."""
order: list[str] = []
"""The faults as they are declared, each before its control."""
differences: dict[str, str] = {}
"""Each difference between the ways that series take, and on which of them it was seen."""


def parts() -> dict[str, str]:
    """What this run has to say, by the name of its marks."""
    found = {
        "faults": markdown(rows[name].cells(name) for name in order if name in rows),
        "parity": "\n".join(f"- {where}: {what}" for what, where in differences.items()),
    }
    ran = {"faults": rows, "parity": differences}
    return {name: text for name, text in found.items() if ran[name]}


def written(name: str) -> str:
    """What the page has between the marks of a part."""
    found = re.search(_between(name), PAGE.read_text(), re.DOTALL)
    assert found, f"{PAGE.name} has no marks for {name}"
    return found[2].strip()


def write() -> None:
    """Put this run's parts between their marks."""
    text = PAGE.read_text()
    for name, part in parts().items():
        found = re.search(_between(name), text, re.DOTALL)
        assert found, f"{PAGE.name} has no marks for {name}"
        text = f"{text[: found.start(2)]}\n{part}\n{text[found.end(2) :]}"
    PAGE.write_text(text)


def _between(name: str) -> str:
    return rf"(<!-- {name}: [^\n]* -->)(.*?)(<!-- end of {name} -->)"

"""The reference page names what the rules record."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_RECORD = re.compile(r"- record: (slo_\w+|slo:\S+|service:slo_\S+|service:otel_meta_up:\S+)")


def test_reference_names_every_recording_of_slos() -> None:
    """Each series that the rules record about SLOs and services is on the reference page."""
    page = (ROOT / "docs" / "reference.md").read_text()
    _, _, section = page.partition("## Of every SLO")
    known = {re.escape(name) for name in re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)}
    shown = re.compile("|".join(known).replace("<span>", r"\d+[mhd]"))
    rules = "".join(path.read_text() for path in (ROOT / "rules").glob("*.yml"))

    assert set() == {name for name in _RECORD.findall(rules) if not shown.fullmatch(name)}

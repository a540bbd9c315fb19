"""The reference page names what the rules record."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from otel_meta.model import Catalog
from otel_meta.model.slo.correction import Correction
from otel_meta.render.artifacts import rule_files
from otel_meta.render.docs.reference import reference
from otel_meta.render.options import Options
from otel_meta.render.rules.rule import Record
from otel_meta.repos.nebula import Nebula

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


def test_reference_lists_corrections_and_their_series() -> None:
    """The reference page lists corrections with their reasons, and each series that they need."""
    row = Correction(
        begin=datetime(2026, 11, 20, 10, tzinfo=UTC),
        end=datetime(2026, 11, 20, 11, tzinfo=UTC),
        reason="A failed disk.",
        slos=(Nebula.api_availability.name,),
    )
    catalog, options = Catalog((Nebula,)), Options(corrections=(row,))
    page = reference(catalog, options)
    _, _, section = page.partition("## Corrections")
    times = "2026-11-20T10:00:00Z | 2026-11-20T11:00:00Z"
    plain, corrected = (
        {
            rule.record
            for file in rule_files(catalog, chosen)
            for group in file.groups
            for rule in group.rules
            if isinstance(rule, Record)
        }
        for chosen in (Options(), options)
    )
    listed = {re.sub("kept(1h|6h)", "kept<span>", name) for name in corrected - plain}

    assert f"| {times} | incident | `nebula-api-availability` | all | A failed disk. |" in section
    assert listed == {name for name in listed if f"| `{name}` |" in section}
    assert "## Corrections" not in reference(catalog, Options())

from __future__ import annotations

import re

from otel_meta.model.identity import Identity
from otel_meta.render.rules import series_names as series
from tests.rules.committed_rules import committed_groups

_OF_SPAN = r"slo:(error_ratio:|(bad|total):increase)[0-9]+[mhd]"
"""Series that are recorded for each span."""


def test_every_recorded_slo_series_is_in_list_of_names() -> None:
    """Every recorded SLO series is in the list of names."""
    known = {value for value in vars(series).values() if isinstance(value, str)}
    recorded = {
        rule["record"]
        for groups in committed_groups().values()
        for group in groups
        for rule in group["rules"]
        if rule.get("record", "").startswith(("slo:", "slo_", "service:slo_"))
    }
    spans = {name for name in recorded if re.fullmatch(_OF_SPAN, name)}

    assert recorded - spans <= known
    assert {"slo:error_ratio:1h", "slo:total:increase6h", "slo:bad:increase3d"} <= spans


def test_recordings_of_slos_have_identity_labels_only() -> None:
    """Recordings of SLOs have identity labels only."""
    for groups in committed_groups().values():
        for rule in (rule for group in groups for rule in group["rules"]):
            if rule.get("record", "").startswith("slo:"):
                assert {*rule["labels"]} <= {*Identity().slo}

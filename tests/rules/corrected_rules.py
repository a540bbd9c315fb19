"""The rules of an SLO with corrections, for the rule engine on simulated time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from alert_quality.scenario import EPOCH

from otel_meta.model import Catalog
from otel_meta.model.slo.correction import Correction
from otel_meta.render.artifacts import rule_files
from otel_meta.render.options import Options
from otel_meta.render.rules.rule_formats import prometheus
from otel_meta.repos.nebula import Nebula
from tests.yaml_files import read_yaml

SLO: Final = Nebula.api_availability


def corrections(begin: int, end: int, *services: str) -> list[Correction]:
    """Return a correction between two seconds of a scenario, for each of some services."""
    return [
        Correction(
            begin=datetime.fromtimestamp(EPOCH + begin, UTC),
            end=datetime.fromtimestamp(EPOCH + end, UTC),
            reason="Announced maintenance.",
            kind="maintenance",
            service={"service_name": name},
        )
        for name in services
    ]


def rules(corrected: Sequence[Correction]) -> dict[str, dict[str, Any]]:
    """Return the files of the SLO's rules and of those across SLOs, without texts of alerts."""
    found = rule_files(Catalog((Nebula,)), Options(corrections=tuple(corrected)))
    return {file.name: _of_slo(read_yaml(prometheus(file))) for file in found}


def _of_slo(document: Any) -> dict[str, Any]:
    own = (SLO.name, f"{SLO.name}-alerts", f"{SLO.name}-corrections")
    names = (*own, "slo-overview", f"{Nebula.name}-overview")
    groups = [group for group in document["groups"] if group["name"] in names]
    for rule in (rule for group in groups for rule in group["rules"]):
        rule.pop("annotations", None)
    return {"groups": groups}

from __future__ import annotations

from pathlib import Path

import pytest

from otel_meta.model import Catalog
from otel_meta.render.artifacts import Artifact, artifacts_of
from otel_meta.render.header import MARK
from otel_meta.render.options import Options
from otel_meta.repos import BUILTIN
from tests.yaml_files import read_yaml

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = list(artifacts_of(BUILTIN, Options()))


@pytest.mark.parametrize("artifact", ARTIFACTS, ids=lambda artifact: str(artifact.path))
def test_every_committed_file_is_up_to_date(artifact: Artifact) -> None:
    """Every committed file is up to date."""
    path = ROOT / artifact.path

    assert path.is_file(), f"{artifact.path} is missing; run: make generate"
    assert artifact.text == path.read_text(), f"{artifact.path} is stale; run: make generate"


def test_generation_is_deterministic_and_each_file_has_header() -> None:
    """Generation is deterministic, and each file has the header."""
    again = list(artifacts_of(BUILTIN, Options()))

    assert ARTIFACTS == again
    assert len(ARTIFACTS) == len({artifact.path for artifact in ARTIFACTS})
    assert all(MARK in artifact.text for artifact in ARTIFACTS)


def test_rules_contain_at_least_60_recordings_and_40_alerts() -> None:
    """The rules contain at least 60 recordings and 40 alerts."""
    rules = [
        rule
        for artifact in ARTIFACTS
        if artifact.path.suffix == ".yml" and artifact.path.parts[0] == "rules"
        for group in read_yaml(artifact.text)["groups"]
        for rule in group["rules"]
    ]

    assert 60 <= sum("record" in rule for rule in rules)
    assert 40 <= sum("alert" in rule for rule in rules)


def test_no_group_has_more_than_20_rules_default_limit() -> None:
    """No group has more than 20 rules, the default limit of Mimir."""
    for artifact in ARTIFACTS:
        if artifact.path.parts[0] == "rules":
            for group in read_yaml(artifact.text)["groups"]:
                assert len(group["rules"]) <= 20, group["name"]


def test_empty_catalogue_has_valid_files() -> None:
    """An empty catalogue has valid files."""
    paths = [str(artifact.path) for artifact in artifacts_of(Catalog(), Options())]

    assert {"rules/cross.recording.yml", "rules/cross.alerting.yml"} <= {*paths}

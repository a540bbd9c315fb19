from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from otel_meta.model import Catalog
from otel_meta.render.artifacts import Artifact, Options, artifacts_of
from otel_meta.render.header import MARK
from otel_meta.repos import BUILTIN

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = list(artifacts_of(BUILTIN, Options()))


@pytest.mark.parametrize("artifact", ARTIFACTS, ids=lambda artifact: str(artifact.path))
def test_committed(artifact: Artifact) -> None:
    """A committed file is what follows from the catalogue."""
    path = ROOT / artifact.path

    assert path.is_file(), f"{artifact.path} is missing; run: make generate"
    assert artifact.text == path.read_text(), f"{artifact.path} is stale; run: make generate"


def test_stable() -> None:
    """The same catalogue gives the same files, each once, each with its mark."""
    again = list(artifacts_of(BUILTIN, Options()))

    assert ARTIFACTS == again
    assert len(ARTIFACTS) == len({artifact.path for artifact in ARTIFACTS})
    assert all(MARK in artifact.text for artifact in ARTIFACTS)


def test_enough() -> None:
    """The rules hold at least what was asked for: 60 recordings and 40 alerts."""
    rules = [
        rule
        for artifact in ARTIFACTS
        if artifact.path.suffix == ".yml" and artifact.path.parts[0] == "rules"
        for group in yaml.safe_load(artifact.text)["groups"]
        for rule in group["rules"]
    ]

    assert 60 <= sum("record" in rule for rule in rules)
    assert 40 <= sum("alert" in rule for rule in rules)


def test_small_groups() -> None:
    """No group has more than the 20 rules that Mimir allows by default."""
    for artifact in ARTIFACTS:
        if artifact.path.parts[0] == "rules":
            for group in yaml.safe_load(artifact.text)["groups"]:
                assert len(group["rules"]) <= 20, group["name"]


def test_empty() -> None:
    """A catalogue without meta-repositories has files that are valid still."""
    paths = [str(artifact.path) for artifact in artifacts_of(Catalog(), Options())]

    assert {"rules/cross.recording.yml", "rules/cross.alerting.yml"} <= {*paths}

from __future__ import annotations

import pytest
import series_count
from scale.labels import OPEN
from scale.table import DOCUMENT, shown

from otel_meta.model import MetaRepo
from otel_meta.repos import BUILTIN
from tests.rules.committed_rules import groups_of

TABLES = dict(series_count.computed())


@pytest.mark.parametrize("name", TABLES)
def test_document_has_output_of_command(name: str) -> None:
    """The document has the output of the command; ``series_count.py --write`` updates it."""
    assert TABLES[name] == shown(DOCUMENT, name)


@pytest.mark.parametrize("repo", list(BUILTIN), ids=lambda repo: repo.name)
def test_each_committed_recording_of_slo_is_one_series_per_service(repo: type[MetaRepo]) -> None:
    """The series of an SLO are its committed recordings: one for each service."""
    names = {slo.name for slo in repo.slos.values()}
    rules = [
        rule["record"]
        for kind in ("recording", "alerting")
        for group in groups_of(repo, kind)
        if group["name"].removesuffix("-alerts") in names
        for rule in group["rules"]
        if "record" in rule
    ]

    assert len(rules) == series_count.of_slos(repo)


@pytest.mark.parametrize("repo", list(BUILTIN), ids=lambda repo: repo.name)
def test_more_values_make_more_series(repo: type[MetaRepo]) -> None:
    """Twice the values of open labels make more series."""
    twice = {label: 2 * count for label, count in OPEN.items()}

    assert series_count.series_per_process(repo) < series_count.series_per_process(repo, twice)
    assert series_count.recorded(repo) <= series_count.recorded(repo, twice)


def test_table_omits_aggregations_by_service() -> None:
    """The table omits aggregations by service, which a shard can evaluate alone."""
    listed = {row[0] for row in series_count.across()}

    assert "`scanner:security_findings_open:critical`" in listed
    assert "`service:http_server_request_duration_seconds:p99_7d`" not in listed

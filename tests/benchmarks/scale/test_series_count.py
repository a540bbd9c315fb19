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
def test_document(name: str) -> None:
    """The document has what the command prints; ``series_count.py --write`` mends it."""
    assert TABLES[name] == shown(DOCUMENT, name)


@pytest.mark.parametrize("repo", list(BUILTIN), ids=lambda repo: repo.name)
def test_recorded(repo: type[MetaRepo]) -> None:
    """Each committed recording of an SLO is one series a service, or one in all."""
    groups = [g for g in groups_of(repo, "recording") if not g["name"].endswith("-measures")]
    rules = [rule for group in groups for rule in group["rules"]]
    once = [rule for rule in rules if rule["expr"].startswith("vector(")]

    assert len(once) == series_count.declared(repo)
    assert len(rules) - len(once) == series_count.of_slos(repo)


@pytest.mark.parametrize("repo", list(BUILTIN), ids=lambda repo: repo.name)
def test_more_values_make_more_series(repo: type[MetaRepo]) -> None:
    """Twice the values of every open label are twice the series or more, or none are open."""
    twice = {label: 2 * count for label, count in OPEN.items()}

    assert series_count.a_process(repo) < series_count.a_process(repo, twice)
    assert series_count.recorded(repo) <= series_count.recorded(repo, twice)


def test_across_services() -> None:
    """An aggregation that keeps the service is whole in a shard, and not in the table."""
    listed = {row[0] for row in series_count.across()}

    assert "`scanner:security_findings_open:critical`" in listed
    assert "`service:http_server_request_duration_seconds:p99_7d`" not in listed

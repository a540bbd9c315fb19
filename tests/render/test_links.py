from __future__ import annotations

from otel_meta.render.links import Links, repo_dashboard
from otel_meta.repos import BUILTIN


def test_links() -> None:
    """Links begin where the reader says, and by default in this repository and in Grafana."""
    assert "docs/runbooks/x.md" == Links().runbook("x")
    assert "https://g/d/x" == Links(dashboards="https://g/d").dashboard("x")


def test_uids() -> None:
    """Each dashboard's uid is its own, and short enough for Grafana."""
    uids = [repo_dashboard(repo.name) for repo in BUILTIN]

    assert len(uids) == len({*uids})
    assert max(map(len, uids)) <= 40

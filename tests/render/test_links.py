from __future__ import annotations

from otel_meta.render.links import Links, repo_dashboard
from otel_meta.repos import BUILTIN


def test_links_begin_with_given_base_or_with_default_base() -> None:
    """Links begin with the given base, or with the default base."""
    assert "docs/runbooks/x.md" == Links().runbook("x")
    assert "https://g/d/x" == Links(dashboards="https://g/d").dashboard("x")


def test_each_dashboard_has_unique_uid_of_at_most_40_characters() -> None:
    """Each dashboard has a unique uid of at most 40 characters."""
    uids = [repo_dashboard(repo.name) for repo in BUILTIN]

    assert len(uids) == len({*uids})
    assert max(map(len, uids)) <= 40

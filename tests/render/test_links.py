from __future__ import annotations

from string import ascii_lowercase

import pytest

from otel_meta.render.links import BUSINESS_DASHBOARD, Links, repo_dashboard
from otel_meta.repos import BUILTIN
from otel_meta.status.slo_links import SLO_DASHBOARD


def test_links_begin_with_given_base_or_with_default_base() -> None:
    """Links begin with the given base, or with the default base."""
    assert "docs/runbooks/x.md" == Links().runbook("x")
    assert "https://g/d/x" == Links(dashboards="https://g/d").dashboard("x")


def test_each_dashboard_has_unique_uid_of_at_most_40_characters() -> None:
    """Each dashboard has a unique uid of at most 40 characters."""
    uids = [repo_dashboard(repo.name) for repo in BUILTIN]

    assert len(uids) == len({*uids})
    assert max(map(len, uids)) <= 40


def test_link_sets_variables_and_places_that_alert_has() -> None:
    """A link sets the variables, and those places that the alert has."""
    link = Links().dashboard("x", {"slo": "slo"}, ["cluster"])

    assert (
        "/d/x?var-slo={{ $labels.slo | urlquery }}"
        "{{ with $labels.cluster }}&var-cluster={{ . | urlquery }}{{ end }}"
    ) == link


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("customer-facing-billing-europe-east", "customer-facing-billing-europe-west"),
        (ascii_lowercase * 3, ascii_lowercase * 3 + "x"),
    ],
)
def test_long_names_have_different_uids(one: str, other: str) -> None:
    """Names that differ after the length of a uid have different uids of at most 40 characters."""
    uids = {repo_dashboard(one), repo_dashboard(other)}

    assert 2 == len(uids)
    assert max(map(len, uids)) <= 40


@pytest.mark.parametrize("name", ["slo", "business"])
def test_no_meta_repository_takes_uid_of_common_dashboard(name: str) -> None:
    """No meta-repository takes the uid of the SLO dashboard or of the business dashboard."""
    assert repo_dashboard(name) not in {SLO_DASHBOARD, BUSINESS_DASHBOARD}

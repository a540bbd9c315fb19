from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scale.fleet import Series, Service, exposed, raw, recorded, services
from scale.history import EVALUATION, Past

from otel_meta.model import MetaRepo
from otel_meta.repos import BUILTIN, Nebula
from tests.rules.committed_rules import groups_of

each_repo = pytest.mark.parametrize("repo", list(BUILTIN), ids=lambda repo: repo.name)
ENDS = st.integers(1_700_000_000 // 60, 1_900_000_000 // 60).map(lambda minute: minute * 60)


def _names(repo: type[MetaRepo], kind: str) -> set[str]:
    rules = (rule for group in groups_of(repo, kind) for rule in group["rules"])
    return {name for rule in rules for name in re.findall(r"[a-z_][\w:]+(?=\{)", rule["expr"])}


class TestServices:
    def test_services_are_spread_evenly(self) -> None:
        """Services are spread evenly over the meta-repositories and have unique names."""
        fleet = services(20)
        counts = [sum(service.repo is repo for service in fleet) for repo in BUILTIN]

        assert {3, 4} == set(counts)
        assert 20 == len({service.identity["service_name"] for service in fleet})


class TestRaw:
    @each_repo
    def test_all_that_rules_read(self, repo: type[MetaRepo]) -> None:
        """Each selected name of a rule has series; a rule without data would be too cheap."""
        heads = {one.head.partition("{")[0] for one in raw(Service(repo, 0))}
        selected = _names(repo, "recording") | _names(repo, "alerting")

        exposed_names = {name for name in selected if ":" not in name}
        assert set() == exposed_names - heads

    @each_repo
    def test_part_of_what_is_exposed(self, repo: type[MetaRepo]) -> None:
        """Raw series are unique, and the service exposes all of them."""
        heads = [one.head for one in raw(Service(repo, 0))]
        every = [one.head for one in exposed(Service(repo, 0))]

        assert len(heads) == len(set(heads))
        assert set(heads) <= set(every)

    @given(st.sampled_from([one for n in (0, 7) for one in raw(Service(Nebula, n))]), st.data())
    def test_counters_never_go_back(self, one: Series, data: st.DataObject) -> None:
        """A value of a counter is never below the previous value."""
        at = data.draw(st.integers(0, 50_000))

        assert one.values.at(at) <= one.values.at(at + 1)

    def test_no_bucket_of_histogram_counts_more_than_next_bucket(self) -> None:
        """No bucket of a histogram counts more than the next bucket."""
        heads = {one.head: one.values for one in raw(Service(Nebula, 7))}
        first = [v for k, v in heads.items() if "_bucket{" in k and "/0/" in k and '"200"' in k]
        route = first[:15]

        assert 0 == len(first) % 15 < len(first)
        assert all(a.at(n) <= b.at(n) for a, b in pairwise(route) for n in range(1_000))


class TestPast:
    @given(ENDS, st.integers(1, 30))
    def test_time_ranges_follow_each_other_without_gap_up_to_end(self, end: int, days: int) -> None:
        """Time ranges follow each other without a gap, up to the end."""
        slices = list(Past(end, raw=600, ahead=60, days=days).slices())

        assert end - days * 86_400 == slices[0].start
        assert end == slices[-1].stop
        assert all(a.stop == b.start for a, b in pairwise(slices))

    @given(ENDS, st.sampled_from(list(BUILTIN)))
    def test_each_recorded_series_has_sample_every_minute(
        self, end: int, repo: type[MetaRepo]
    ) -> None:
        """Each recorded series has a sample a minute over the whole range that rules read."""
        past = Past(end, raw=600, ahead=60)
        times: dict[str, list[int]] = {}
        for part in past.slices():
            for one, some in past.recorded([Service(repo, 0)], part):
                times.setdefault(one.head, []).extend(some)

        for one in recorded(Service(repo, 0)):
            assert list(range(end - one.seconds, end, EVALUATION)) == times[one.head]

from __future__ import annotations

from typing import Any

import pytest

from otel_meta.model import MetaRepo, Ratio, Slo
from otel_meta.render.collector.env_variables import (
    GATEWAY_MEMORY_MIB,
    GATEWAY_MEMORY_SPIKE_MIB,
    UNDECIDED_TRACES,
)
from otel_meta.render.collector.sampling import bad_spans, tail_sampling
from otel_meta.repos import BUILTIN
from otel_meta.semconv import (
    HTTP_SERVER_REQUEST_DURATION,
    HTTP_SERVER_TIME_TO_FIRST_BYTE,
    responses_within,
)
from tests.render.acme import Acme

OF_ATLAS = 'resource.attributes["service.namespace"] == "atlas-maps"'
SERVER = "span.kind == SPAN_KIND_SERVER"
ROUTE = 'span.attributes["http.route"]'
SCHEME = 'span.attributes["url.scheme"]'
STATUS = 'span.attributes["http.response.status_code"]'
LONGER_THAN = "span.end_time_unix_nano - span.start_time_unix_nano >"
COMMON: dict[str, Any] = {"objective": "99%", "period": "30d", "why": "A user waits."}


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """SLOs of all kinds on HTTP requests."""

    http = HTTP_SERVER_REQUEST_DURATION
    first_bytes = HTTP_SERVER_TIME_TO_FIRST_BYTE
    good = Slo("good", sli=http.ratio(good=http.where(http_route=("/a", "/b"))), **COMMON)
    failed = Slo(
        "failed",
        sli=Ratio(
            total=http.where(url_scheme="https"),
            bad=http.where(url_scheme="https", http_response_status_code="500"),
        ),
        **COMMON,
    )
    quick = Slo("quick", sli=http.within(0.25).where(http_route="/a"), **COMMON)
    slow = Slo("slow", sli=http.within(10), **COMMON)
    timely = Slo("timely", sli=responses_within(0.25), **COMMON)


class TestBadSpan:
    @pytest.mark.parametrize(
        ("slo", "conditions"),
        [
            (
                "good",
                f'not (({ROUTE} == "/a" or {ROUTE} == "/b"))',
            ),
            (
                "failed",
                f'{SCHEME} == "https" and {STATUS} == 500',
            ),
            ("quick", f'{ROUTE} == "/a" and {LONGER_THAN} 250000000'),
            ("slow", f"{LONGER_THAN} 10000000000"),
        ],
    )
    def test_condition_of_http_slo_compares_attributes_of_server_spans(
        self, slo: str, conditions: str
    ) -> None:
        """The condition of an HTTP SLO compares attributes of server spans, also numeric ones."""
        assert [f"{OF_ATLAS} and {SERVER} and {conditions}"] == bad_spans(Atlas, Atlas.slos[slo])

    def test_stream_has_condition_about_its_first_byte_alone(self) -> None:
        """A stream has a condition about its first byte, and none about its duration."""
        of_server = f"{OF_ATLAS} and {SERVER}"

        assert [
            f'{of_server} and span.attributes["stream"] == nil and {LONGER_THAN} 250000000',
            f'{of_server} and span.attributes["http.server.time_to_first_byte"] > 0.25',
        ] == bad_spans(Atlas, Atlas.timely)

    def test_condition_of_another_duration_applies_to_all_spans(self) -> None:
        """The condition of another duration applies to all spans, and has no attributes."""
        expected = f'resource.attributes["service.namespace"] == "acme" and {LONGER_THAN} 500000000'

        assert [expected] == bad_spans(Acme, Acme.quick)

    def test_http_slo_excludes_server_spans_from_other_conditions(self) -> None:
        """If an HTTP SLO has a bound, the conditions of other durations exclude server spans."""
        (aurora,) = (repo for repo in BUILTIN if repo.name == "aurora-fullstack-saas")
        expected = (
            'resource.attributes["service.namespace"] == "aurora-fullstack-saas"'
            f" and not ({SERVER}) and {LONGER_THAN} 50000000"
        )

        assert [expected] == bad_spans(aurora, aurora.slos["database_latency"])

    def test_counter_slos_and_bounds_above_decision_wait_have_no_condition(self) -> None:
        """Counter SLOs, and bounds above the decision wait, have no condition."""
        (chronos,) = (repo for repo in BUILTIN if repo.name == "chronos-data-platform")

        assert [] == bad_spans(Acme, Acme.answered)
        assert [] == [each for slo in chronos.slos.values() for each in bad_spans(chronos, slo)]


class TestPolicies:
    def test_policies_are_errors_then_slos_then_rest(self) -> None:
        """Policies keep errors first, then bad events of each SLO, then a share of the rest."""
        config: dict[str, Any] = tail_sampling(BUILTIN.with_repos(Atlas))
        names = [policy["name"] for policy in config["policies"]]

        assert ["errors", "rest"] == [names[0], names[-1]]
        assert len(names) == len(set(names))
        assert {"aurora-api-latency", "titan-service-availability", "failed"} <= {*names}

    def test_memory_limit_is_reached_before_limit_of_undecided_traces(self) -> None:
        """The smallest traces, of 2 KiB, reach the memory limit before their number is reached."""
        config: dict[str, Any] = tail_sampling(BUILTIN)
        memory = int(GATEWAY_MEMORY_MIB.default) - int(GATEWAY_MEMORY_SPIKE_MIB.default)

        assert str(UNDECIDED_TRACES) == config["num_traces"]
        assert 0.9 < int(UNDECIDED_TRACES.default) * 2 / (memory * 1024) <= 1

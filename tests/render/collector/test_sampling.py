from __future__ import annotations

from typing import Any

import pytest

from otel_meta.model import MetaRepo, Ratio, Slo
from otel_meta.render.collector.sampling import bad_span, tail_sampling
from otel_meta.repos import BUILTIN
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION
from tests.render.acme import Acme

OF_ATLAS = 'resource.attributes["service.namespace"] == "atlas-maps"'
SERVER = "span.kind == SPAN_KIND_SERVER"
ROUTE = 'span.attributes["http.route"]'
SCHEME = 'span.attributes["url.scheme"]'
STATUS = 'span.attributes["http.response.status_code"]'
LONGER = "span.end_time_unix_nano - span.start_time_unix_nano >"
WHY = {"period": "30d", "why": "Somebody waits."}


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """HTTP SLOs of every kind."""

    http = HTTP_SERVER_REQUEST_DURATION
    kept = Slo(
        "kept", objective="99%", sli=http.ratio(good=http.where(http_route=("/a", "/b"))), **WHY
    )
    failed = Slo(
        "failed",
        objective="99%",
        sli=Ratio(
            total=http.where(url_scheme="https"), bad=http.where(http_response_status_code="500")
        ),
        **WHY,
    )
    quick = Slo("quick", objective="99%", sli=http.within(0.25).where(http_route="/a"), **WHY)
    patient = Slo("patient", objective="99%", sli=http.within(10), **WHY)


class TestBadSpan:
    @pytest.mark.parametrize(
        ("slo", "conditions"),
        [
            (
                "kept",
                f'not (({ROUTE} == "/a" or {ROUTE} == "/b"))',
            ),
            (
                "failed",
                f'{SCHEME} == "https" and {STATUS} == 500',
            ),
            ("quick", f'{ROUTE} == "/a" and {LONGER} 250000000'),
            ("patient", f"{LONGER} 10000000000"),
        ],
    )
    def test_http(self, slo: str, conditions: str) -> None:
        """An HTTP SLO's labels are a server span's attributes, numbers among them."""
        assert f"{OF_ATLAS} and {SERVER} and {conditions}" == bad_span(Atlas, Atlas.slos[slo])

    def test_other_duration(self) -> None:
        """Any span may be meant by another duration, but no attribute of it is known."""
        expected = f'resource.attributes["service.namespace"] == "acme" and {LONGER} 500000000'

        assert expected == bad_span(Acme, Acme.quick)

    def test_other_duration_beside_http(self) -> None:
        """Where an HTTP SLO speaks of server spans, other durations speak of the rest."""
        (aurora,) = (repo for repo in BUILTIN if repo.name == "aurora-fullstack-saas")
        expected = (
            'resource.attributes["service.namespace"] == "aurora-fullstack-saas"'
            f" and not ({SERVER}) and {LONGER} 50000000"
        )

        assert expected == bad_span(aurora, aurora.slos["database_latency"])

    def test_no_span(self) -> None:
        """Neither a counter's events nor what takes longer than the decision waits are spans."""
        (chronos,) = (repo for repo in BUILTIN if repo.name == "chronos-data-platform")

        assert "" == bad_span(Acme, Acme.answered)
        assert {""} == {bad_span(chronos, slo) for slo in chronos.slos.values()}


class TestPolicies:
    def test_all(self) -> None:
        """First errors, then what SLOs ask about, under their names, then a share of the rest."""
        config: dict[str, Any] = tail_sampling(BUILTIN.with_repos(Atlas))
        names = [policy["name"] for policy in config["policies"]]

        assert ["errors", "rest"] == [names[0], names[-1]]
        assert len(names) == len(set(names))
        assert {"aurora-api-latency", "titan-service-availability", "failed"} <= {*names}

    def test_cache(self) -> None:
        """Decisions are remembered for ten times as many traces as wait for one."""
        config: dict[str, Any] = tail_sampling(BUILTIN)

        assert {10 * config["num_traces"]} == {*config["decision_cache"].values()}

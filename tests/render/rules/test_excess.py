from __future__ import annotations

import pytest

from otel_meta.model import Duration, MetaRepo, Slo
from otel_meta.render.options import Options
from otel_meta.render.rules.excess import Excess, cause_labels, failure_labels
from otel_meta.repos import Aurora, Chronos, Titan
from tests.render.acme import Acme

HOUR = Duration("1h")


def excess(repo: type[MetaRepo], slo: Slo) -> Excess:
    """Return the queries about an SLO of the service x, over an hour."""
    return Excess(repo=repo, slo=slo, span=HOUR, options=Options(), where=('service_name="x"',))


@pytest.mark.parametrize(
    ("repo", "slo", "causes", "kinds"),
    [
        (
            Titan,
            Titan.service_availability,
            ("http_request_method", "url_scheme", "http_route", "stream"),
            ("http_response_status_code", "error_type"),
        ),
        (Titan, Titan.event_success, ("event_type", "consumer"), ("reason",)),
        (Titan, Titan.breaker_availability, ("breaker",), ()),
        (Chronos, Chronos.pipeline_latency, ("pipeline",), ("outcome",)),
        (Acme, Acme.quick, (), ()),
    ],
    ids=["matched", "of bad events alone", "one value", "of another SLI", "no labels"],
)
def test_labels_that_say_how_an_event_fails_are_no_causes(
    repo: type[MetaRepo], slo: Slo, causes: tuple[str, ...], kinds: tuple[str, ...]
) -> None:
    """A label is a cause unless it says how an event ends, or has one value."""
    assert causes == cause_labels(repo, slo)
    assert kinds == failure_labels(repo, slo)


def test_excess_of_a_label_compares_bad_events_with_the_ratio() -> None:
    """The excess of a label's values is their bad events less those at the ratio."""
    assert (
        "(sum by (consumer) (increase(event_processing_failures_total"
        '{service_namespace="titan-microservices-mesh",service_name="x",consumer!=""}[1h]))'
        " - 0.1 * sum by (consumer) (increase(events_processed_total"
        '{service_namespace="titan-microservices-mesh",service_name="x",consumer!=""}[1h])))'
    ) == excess(Titan, Titan.event_success).of_values(["consumer"], "0.1")


def test_every_part_of_an_indicator_with_the_label_is_counted() -> None:
    """A label of both parts is counted in both; a label of one part is counted in this part."""
    both = excess(Aurora, Aurora.api_latency).of_values(["http_route"], "0.1")
    one = excess(Aurora, Aurora.api_latency).of_values(["stream"], "0.1")

    assert "http_server_time_to_first_byte_seconds_count" in both
    assert "http_server_request_duration_seconds_count" in both
    assert "\n" not in both + one


def test_slices_of_every_series_are_compared() -> None:
    """Time slices of the worst series are those of each series, so that the parts add up."""
    each, worst = (
        Slo("acme-level", objective="99%", period="7d", sli=sli, why="A tank is low.")
        for sli in (Acme.level.at_least(1), Acme.level.at_least(1).worst())
    )

    assert excess(Acme, each).counts(["tank"]) == excess(Acme, worst).counts(["tank"])


def test_share_is_excess_among_the_excess_and_the_bad_events_elsewhere() -> None:
    """The share that a value explains is its excess among its excess and all other bad events."""
    share = excess(Titan, Titan.event_success).share("7", 'consumer!="a"')

    assert share.startswith("7 / (7 + (sum(increase(event_processing_failures_total{")
    assert share.endswith('consumer!="a"}[1h])) or vector(0)))')

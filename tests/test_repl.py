"""Objects and help as an interactive session shows them: one line each, without secrets."""

from __future__ import annotations

import pydoc
from collections.abc import Iterator
from typing import Any

import pytest

from otel_meta import Duration, MetaRepo, Objective, Telemetry, configure, measures
from otel_meta.repos import BUILTIN, Nebula, Titan
from otel_meta.runtime.settings import read_settings

TOKEN = "s3cret"

DECLARED: dict[str, tuple[object, str]] = {
    "duration": (Duration("120m"), "Duration('2h')"),
    "objective": (Objective("99.90%"), "Objective('99.9%')"),
    "instrument": (Nebula.cost, "Counter('cloud.cost.usd')"),
    "selector": (
        Titan.http_requests.where(error_type="500", http_request_method=("GET", "PUT")),
        (
            "Histogram('http.server.request.duration')"
            ".where(error_type='500', http_request_method=('GET', 'PUT'))"
        ),
    ),
    "ratio": (
        Nebula.cost.ratio(bad=Nebula.cost_forecast_error),
        (
            "Ratio(total=Selector(Counter('cloud.cost.usd')), "
            "bad=Selector(Counter('cloud.cost.forecast_error.usd')), good=None)"
        ),
    ),
    "threshold": (
        Nebula.http_requests.within(0.1),
        "Threshold(values=Selector(Histogram('http.server.request.duration')), bound=0.1)",
    ),
    "time slice": (
        Nebula.drift_detected.at_most(0),
        (
            "TimeSlice(value=Selector(Gauge('infrastructure.drift.detected')), "
            "at_least=None, at_most=0, series='each')"
        ),
    ),
    "slo": (
        Nebula.api_latency,
        "Slo('nebula-api-latency', objective='99%', period='7d')",
    ),
    "burn window": (
        Nebula.api_availability.burn_windows[0],
        (
            "BurnWindow(severity='page', budget_spent=Fraction(1, 50), "
            "long=Duration('1h'), short=Duration('5m'))"
        ),
    ),
    "measure": (
        measures.rate(Nebula.cost, "1h"),
        (
            "Rate(source=Selector(Counter('cloud.cost.usd')), "
            "over=Duration('1h'), by=('service_name',))"
        ),
    ),
    "meta-repository": (Nebula, "<class 'otel_meta.repos.nebula.Nebula'>"),
    "unbound": (Nebula(), "<Nebula 'nebula-cloud-platform', not bound>"),
    "catalog": (BUILTIN, "Catalog(Nebula, Sentinel, Chronos, Titan, Obsidian, Aurora)"),
}


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """Telemetry that exports nowhere but to the application's own /metrics."""
    with configure(
        "api",
        Nebula,
        prometheus_token=TOKEN,
        resource_attributes={"deployment.environment.name": "test"},
        set_global=False,
        log_stream=None,
        environ={},
    ) as telemetry:
        yield telemetry


class TestDeclarations:
    @pytest.mark.parametrize(("value", "text"), DECLARED.values(), ids=DECLARED)
    def test_declaration_is_shown_as_it_was_written(self, value: object, text: str) -> None:
        """The repr of a declaration is one line that resembles its source."""
        assert text == repr(value)

    @pytest.mark.parametrize("repo", list(BUILTIN), ids=lambda repo: repo.__name__)
    def test_no_declaration_shows_an_address(self, repo: type[MetaRepo]) -> None:
        """No SLO, recording or alert shows the address of an object."""
        declared = [*repo.slos.values(), *repo.recordings.values(), *repo.alerts.values()]

        assert [] == [one for one in map(repr, declared) if " at 0x" in one or "\n" in one]


class TestLive:
    def test_telemetry_shows_its_service_its_state_and_its_exporters(
        self, telemetry: Telemetry
    ) -> None:
        """Telemetry shows its service, its state and its exporters."""
        text = "<Telemetry of 'api', open: traces=none, metrics=prometheus, logs=none>"

        assert text == repr(telemetry)

    def test_telemetry_shows_that_it_is_shut_down(self, telemetry: Telemetry) -> None:
        """Telemetry shows that it is shut down."""
        telemetry.shutdown()

        assert repr(telemetry).startswith("<Telemetry of 'api', shut down: ")

    def test_telemetry_shows_that_it_is_disabled(self) -> None:
        """Telemetry shows that it is disabled."""
        with configure(
            "api", set_global=False, log_stream=None, environ={"OTEL_SDK_DISABLED": "true"}
        ) as telemetry:
            assert repr(telemetry).startswith("<Telemetry of 'api', disabled: ")

    def test_bound_meta_repository_shows_how_many_instruments_are_live(
        self, telemetry: Telemetry
    ) -> None:
        """A bound meta-repository shows how many instruments are live."""
        live = telemetry.bind(Nebula)

        assert "<Nebula 'nebula-cloud-platform', 12 live instruments>" == repr(live)

    def test_live_instrument_shows_its_metric_and_its_number_of_series(
        self, telemetry: Telemetry
    ) -> None:
        """A live instrument shows its metric and its number of series."""
        cost = telemetry.bind(Nebula).cost
        cost.add(1, project="maps", gcp_service="run")
        cost.add(1, project="maps", gcp_service="sql")

        assert "<Counter 'cloud.cost.usd' of 'Nebula', 2 series>" == repr(cost)

    def test_handle_shows_its_metric_and_its_labels(self, telemetry: Telemetry) -> None:
        """A handle shows its metric and its labels."""
        handle = telemetry.bind(Nebula).cost.with_labels(project="maps", gcp_service="run")

        text = "<Counter 'cloud.cost.usd' of 'Nebula', project='maps', gcp_service='run'>"
        assert text == repr(handle)

    def test_tracker_shows_number_of_its_slos(self, telemetry: Telemetry) -> None:
        """A tracker shows the number of its SLOs."""
        telemetry.bind(Nebula)

        assert "<SloTracker of 3 SLOs>" == repr(telemetry.tracker)

    def test_status_shows_its_slo_its_state_and_its_budget(self, telemetry: Telemetry) -> None:
        """A status shows its SLO, its state and its budget."""
        live = telemetry.bind(Nebula)
        live.cost.add(100, project="maps", gcp_service="run")
        live.cost_forecast_error.add(1, project="maps", gcp_service="run")

        text = "'nebula-cost-forecast-accuracy': ok, budget left 80.0%, 1 of 100 bad in 0 s"
        assert f"<Status of {text}>" == repr(
            telemetry.tracker.status(Nebula.cost_forecast_accuracy)
        )

    def test_status_without_events_shows_that_its_budget_is_unknown(
        self, telemetry: Telemetry
    ) -> None:
        """A status without events shows that its budget is unknown."""
        telemetry.bind(Nebula)

        text = repr(telemetry.tracker.status(Nebula.api_availability))
        assert "no_data, budget left unknown, 0 of 0 bad" in text

    def test_no_repr_shows_token_of_metrics(self, telemetry: Telemetry) -> None:
        """No repr shows the token of /metrics."""
        shown: list[Any] = [telemetry, telemetry.settings, telemetry.scrape]

        assert [] == [one for one in shown if TOKEN in repr(one)]


class TestHelp:
    @pytest.mark.parametrize("function", [configure, read_settings])
    def test_help_shows_no_environment(
        self, function: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The help of a function shows no variable of the environment, nor an address."""
        monkeypatch.setenv("DATABASE_PASSWORD", TOKEN)

        text = pydoc.render_doc(function)

        assert TOKEN not in text
        assert " at 0x" not in text

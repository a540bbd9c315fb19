from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from opentelemetry.metrics import Counter as ApiCounter
from opentelemetry.metrics import Meter, NoOpCounter, NoOpMeter, NoOpMeterProvider

from otel_meta import Counter, Gauge, Histogram, NoLabels, UpDownCounter, labels
from otel_meta.model import Attribute
from otel_meta.runtime.api.api_storage import ApiStorage
from otel_meta.semconv import HTTP_SERVER_REQUEST_DURATION

if TYPE_CHECKING:
    from tests.runtime.api.sdk_provider import Sdk


@labels
class Job:
    """Labels of a job."""

    tier: Literal["free", "paid"]
    job_queue: Annotated[str, Attribute("job.queue")] = ""


JOBS = Counter("lib.jobs", "Jobs that were done.", Job, unit="{job}", max_series=3)
PLAIN = Counter("lib.runs", "Runs that were started.", NoLabels)
OPEN = UpDownCounter("lib.jobs.open", "Jobs that are open.", NoLabels)
LEVEL = Gauge("lib.level", "How full the queue is.", NoLabels, unit="%")
TIME = Histogram("lib.job.time", "Time of jobs.", NoLabels, unit="s", buckets=(0.1, 1))


class Failing(NoOpMeterProvider):
    """A provider that raises where it is told to."""

    def __init__(self, place: str) -> None:
        self._place = place

    def get_meter(self, *_args: Any, **_options: Any) -> Meter:
        """Return a meter that raises, or raise."""
        if self._place == "get_meter":
            raise RuntimeError("no meter")
        return _FailingMeter(self._place)


class _FailingMeter(NoOpMeter):
    def __init__(self, place: str) -> None:
        super().__init__("a")
        self._place = place

    def create_counter(self, *_args: Any, **_options: Any) -> ApiCounter:
        if self._place == "create_counter":
            raise RuntimeError("no counter")
        return _FailingCounter("a")


class _FailingCounter(NoOpCounter):
    def add(self, *_args: Any, **_options: Any) -> None:
        raise RuntimeError("no measurement")


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings of the package."""
    return [each.getMessage() for each in caplog.records if each.name == "otel_meta"]


class TestDeclaration:
    def test_provider_gets_name_unit_description_and_advised_buckets(self, sdk: Sdk) -> None:
        """The provider gets name, unit, description and buckets as declared."""
        ApiStorage(sdk.provider).recorder(HTTP_SERVER_REQUEST_DURATION).record(
            0.3, http_request_method="GET", url_scheme="http"
        )
        metric = sdk.metrics()["http.server.request.duration"]

        assert ("s", "Duration of HTTP server requests.") == (metric["unit"], metric["description"])
        assert (
            list(HTTP_SERVER_REQUEST_DURATION.buckets)
            == metric["data"]["data_points"][0]["explicit_bounds"]
        )

    def test_attributes_have_declared_keys_and_types(self, sdk: Sdk) -> None:
        """Attributes have the declared keys, with dots, and types; empty labels are left out."""
        ApiStorage(sdk.provider).recorder(HTTP_SERVER_REQUEST_DURATION).record(
            0.3, http_request_method="GET", url_scheme="http", http_response_status_code="200"
        )
        (point,) = sdk.points("http.server.request.duration")

        assert {
            "http.request.method": "GET",
            "url.scheme": "http",
            "http.response.status_code": 200,
        } == point["attributes"]

    def test_number_of_any_type_is_a_double(self, sdk: Sdk) -> None:
        """An integer is exported as a double, like the numbers of the package's own export."""
        ApiStorage(sdk.provider).recorder(OPEN).add(3)

        assert isinstance(sdk.points("lib.jobs.open")[0]["value"], float)


class TestSeries:
    def test_counter_with_closed_labels_begins_at_zero(self, sdk: Sdk) -> None:
        """The other closed values of a counter's series are exported at zero."""
        ApiStorage(sdk.provider).recorder(JOBS).add(2, tier="paid")

        assert {"free": 0.0, "paid": 2.0} == sdk.values("lib.jobs")

    def test_handle_exports_a_sum_at_once(self, sdk: Sdk) -> None:
        """A handle on a sum exports the series before the first recording."""
        ApiStorage(sdk.provider).recorder(OPEN).with_labels()

        assert {"": 0.0} == sdk.values("lib.jobs.open")

    def test_series_above_limit_share_one(self, sdk: Sdk) -> None:
        """Series above the cardinality limit share the overflow series."""
        add = ApiStorage(sdk.provider).recorder(JOBS).add
        for queue in "abc":
            add(1, tier="paid", job_queue=queue)

        assert [{"otel.metric.overflow": True}] == [
            p["attributes"] for p in sdk.points("lib.jobs") if "tier" not in p["attributes"]
        ]

    def test_removal_is_said_once_and_the_series_stays(
        self, sdk: Sdk, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The API cannot end a series: the value stays, and one warning says so."""
        gauge = ApiStorage(sdk.provider).recorder(LEVEL)
        gauge.set(3)
        for _ in range(2):
            gauge.remove()

        assert {"": 3.0} == sdk.values("lib.level")
        assert 1 == sum("remove() has no effect" in each for each in warnings(caplog))


class TestMistakes:
    @pytest.mark.parametrize(
        ("value", "given", "reason"),
        [
            (1, {"tier": "fre"}, "label value"),
            (1, {"tier": "free", "queue": "a"}, "labels"),
            (1, {}, "labels"),
            (-1, {"tier": "free"}, "value"),
            (float("nan"), {"tier": "free"}, "value"),
            ("1", {"tier": "free"}, "value"),
        ],
    )
    def test_mistake_is_a_fault_of_the_provider(
        self, value: Any, given: dict[str, Any], reason: str, sdk: Sdk
    ) -> None:
        """A mistake raises nothing, and counts in the provider's ``otel_meta.faults``."""
        ApiStorage(sdk.provider).recorder(JOBS).add(value, **given)

        assert {f"lib_jobs_total,{reason}": 1.0} == sdk.values("otel_meta.faults")

    def test_undeclared_value_becomes_other(self, sdk: Sdk) -> None:
        """A value outside the closed set becomes ``_OTHER``, so that totals stay exact."""
        ApiStorage(sdk.provider).recorder(JOBS).add(1, tier="fre")

        assert 1.0 == sdk.values("lib.jobs")["_OTHER"]

    def test_negative_value_of_histogram_is_a_fault(
        self, sdk: Sdk, caplog: pytest.LogCaptureFixture
    ) -> None:
        """OpenTelemetry's histograms take no negative value, which is a fault."""
        histogram = ApiStorage(sdk.provider).recorder(TIME)
        histogram.record(-1)
        histogram.record(1)

        assert 1 == sdk.points("lib.job.time")[0]["count"]
        assert [True] == ["negative values are dropped" in each for each in warnings(caplog)]


class TestFailingProvider:
    @pytest.mark.parametrize("place", ["get_meter", "create_counter", "add"])
    def test_error_of_provider_reaches_the_log_and_not_the_application(
        self, place: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Whatever a foreign provider raises is logged once, and never raised."""
        counter = ApiStorage(Failing(place)).recorder(PLAIN)
        for _ in range(3):
            counter.add(1)

        assert 1 == len(warnings(caplog))
        assert "RuntimeError" in warnings(caplog)[0]


class TestNoProvider:
    def test_first_dropped_measurement_is_said_and_no_other(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Without a provider, one warning in the process says that measurements are dropped."""
        monkeypatch.setattr("otel_meta.runtime.api.api_storage._DROP._is_said", False)
        caplog.set_level(logging.WARNING)
        storage = ApiStorage(None)
        storage.recorder(PLAIN).with_labels()
        before = warnings(caplog)
        storage.recorder(PLAIN).add(1)
        storage.recorder(OPEN).add(1)

        assert [] == before
        assert 1 == len(warnings(caplog))
        assert warnings(caplog)[0].startswith("lib.runs: measurements are dropped")

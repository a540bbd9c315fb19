from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import pytest

import otel_meta
from otel_meta import (
    Counter,
    Gauge,
    Histogram,
    MetaRepo,
    NoLabels,
    Slo,
    Telemetry,
    UpDownCounter,
    labels,
)
from otel_meta.errors import ConfigurationError
from otel_meta.runtime.api.destination import DESTINATION
from tests.runtime.api.sdk_provider import Sdk

if TYPE_CHECKING:
    from tests.runtime.api.conftest import Globals


@labels
class Job:
    """Labels of a job."""

    tier: Literal["free", "paid"]
    result: Literal["done", "failed"] = "done"


class Library(MetaRepo, name="library", owner="team", tier=2):
    """A library."""

    jobs = Counter("lib.jobs", "Jobs that were done.", Job)
    open = UpDownCounter("lib.jobs.open", "Jobs that are open.", NoLabels)
    level = Gauge("lib.level", "How full the queue is.", NoLabels)
    time = Histogram("lib.job.time", "Time of jobs.", NoLabels, unit="s", buckets=(0.1, 1))
    done = Slo(
        "library-jobs-done",
        objective="99%",
        period="30d",
        sli=jobs.ratio(bad=jobs.where(result="failed")),
        why="A job that fails is a mail that is never sent.",
    )


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """Return the open telemetry of the process, as far as bound instances know."""
    made = otel_meta.configure("shop", set_global=False, log_stream=None, environ={})
    DESTINATION.use(made)
    yield made
    DESTINATION.leave(made)
    made.shutdown()


def value(telemetry: Telemetry, live: Any, **given: str) -> float:
    """Return the value of a counter in telemetry."""
    number: float = telemetry.storage.family(live).find(given).value
    return number


class TestBind:
    def test_argument_has_to_be_the_class_of_a_meta_repository(self) -> None:
        """Anything but the class of a meta-repository is refused."""
        with pytest.raises(ConfigurationError, match="give the class of a meta-repository"):
            otel_meta.bind(Library())  # type: ignore[arg-type]

    def test_all_typed_calls_reach_the_provider(self, sdk: Sdk) -> None:
        """Every call of the live instruments and of their handles reaches the provider."""
        live = otel_meta.bind(Library)
        live.jobs.add(1, tier="paid")
        live.jobs.with_labels(tier="paid", result="failed").add(2)
        live.open.add(2)
        live.open.with_labels().add(-1)
        live.level.set(1)
        live.level.with_labels().with_labels().set(2)
        live.time.record(0.5)
        live.time.with_labels().record(0.5)
        with live.time.time(), live.time.with_labels().time():
            pass

        assert {"paid,done": 1.0, "paid,failed": 2.0, "free,done": 0.0, "free,failed": 0.0} == (
            sdk.values("lib.jobs")
        )
        assert ({"": 1.0}, {"": 2.0}) == (sdk.values("lib.jobs.open"), sdk.values("lib.level"))
        assert [[2, 2, 0]] == [point["bucket_counts"] for point in sdk.points("lib.job.time")]

    def test_counters_with_closed_labels_begin_at_zero_at_once(self, sdk: Sdk) -> None:
        """Counters with closed labels are exported at zero before their first recording."""
        live = otel_meta.bind(Library)

        assert {0.0} == set(sdk.values("lib.jobs").values())
        assert 2 * 2 == len(sdk.values("lib.jobs"))
        del live

    def test_two_instances_share_the_series(self, sdk: Sdk) -> None:
        """Two instances of a meta-repository record into the same series."""
        first, second = otel_meta.bind(Library), otel_meta.bind(Library)
        first.jobs.add(1, tier="paid")
        second.jobs.add(1, tier="paid")

        assert 2.0 == sdk.values("lib.jobs")["paid,done"]

    def test_live_instrument_is_copied_as_itself_and_not_pickled(self, sdk: Sdk) -> None:
        """A copy is the live instrument itself, and no live instrument goes to another process."""
        live = otel_meta.bind(Library)

        assert live.jobs is copy.deepcopy(live.jobs)
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(live.jobs)
        assert sdk.provider is not None

    def test_method_of_another_kind_is_answered(self, sdk: Sdk) -> None:
        """A method that the instrument lacks is answered with the methods that it has."""
        live: Any = otel_meta.bind(Library)

        with pytest.raises(AttributeError, match=r"'lib.jobs'.* has no inc\(\).* are add\(\)"):
            live.jobs.inc()
        assert sdk.provider is not None


class TestProviders:
    def test_provider_that_comes_later_is_followed(self, process: Globals) -> None:
        """Instances and handles record into a provider that is set after them."""
        live = otel_meta.bind(Library)
        handle = live.jobs.with_labels(tier="paid")
        live.jobs.add(1, tier="paid")
        process.provider = (late := Sdk()).provider
        live.jobs.add(2, tier="paid")
        handle.add(3)

        assert 5.0 == late.values("lib.jobs")["paid,done"]

    def test_replaced_provider_is_followed(self, process: Globals, sdk: Sdk) -> None:
        """A provider that replaces the first, as tests do, gets the later measurements."""
        live = otel_meta.bind(Library)
        live.jobs.add(1, tier="paid")
        process.provider = (late := Sdk()).provider
        live.jobs.add(2, tier="paid")

        assert 1.0 == sdk.values("lib.jobs")["paid,done"]
        assert 2.0 == late.values("lib.jobs")["paid,done"]

    def test_provider_that_comes_later_gets_all_zeros_at_first_recording(
        self, process: Globals
    ) -> None:
        """The first recording into a provider begins the counters of every bound instance."""
        live = otel_meta.bind(Library)
        process.provider = (late := Sdk()).provider
        live.level.set(1)

        assert {0.0} == set(late.values("lib.jobs").values())


class TestTelemetry:
    def test_open_telemetry_takes_what_the_provider_took(
        self, sdk: Sdk, request: pytest.FixtureRequest
    ) -> None:
        """After `configure`, instances and handles from before record into telemetry alone."""
        live = otel_meta.bind(Library)
        handle = live.jobs.with_labels(tier="paid")
        handle.add(1)
        telemetry: Telemetry = request.getfixturevalue("telemetry")
        live.jobs.add(2, tier="paid")
        handle.add(3)

        assert 5.0 == value(telemetry, Library.jobs, tier="paid")
        assert 1.0 == sdk.values("lib.jobs")["paid,done"]

    def test_provider_takes_over_after_the_shutdown(self, sdk: Sdk, telemetry: Telemetry) -> None:
        """After the shutdown of telemetry, measurements go to the provider again."""
        live = otel_meta.bind(Library)
        handle = live.jobs.with_labels(tier="paid")
        handle.add(1)
        DESTINATION.leave(telemetry)
        live.jobs.add(2, tier="paid")
        handle.add(3)

        assert 1.0 == value(telemetry, Library.jobs, tier="paid")
        assert 5.0 == sdk.values("lib.jobs")["paid,done"]

    def test_time_is_recorded_where_it_ends(self, sdk: Sdk, request: pytest.FixtureRequest) -> None:
        """A timed block records into the destination at its end."""
        live = otel_meta.bind(Library)
        with live.time.time():
            telemetry: Telemetry = request.getfixturevalue("telemetry")

        assert [] == sdk.points("lib.job.time")
        assert 1 == sum(telemetry.storage.family(Library.time).find({}).snapshot()[0])

    @pytest.mark.parametrize("is_bound_first", [True, False])
    def test_slos_of_bound_repositories_are_tracked(
        self, is_bound_first: bool, sdk: Sdk, request: pytest.FixtureRequest
    ) -> None:
        """Telemetry tracks the SLOs of a meta-repository that was bound before or after."""
        live = otel_meta.bind(Library) if is_bound_first else None
        telemetry: Telemetry = request.getfixturevalue("telemetry")
        live = live or otel_meta.bind(Library)

        assert [Library.done] == [status.slo for status in telemetry.tracker.statuses()]
        assert sdk.provider is not None

    def test_telemetry_that_was_shut_down_is_kept_by_nothing(self, sdk: Sdk) -> None:
        """Bound instances and handles keep nothing of telemetry that was shut down."""
        live = otel_meta.bind(Library)
        handle = live.jobs.with_labels(tier="paid")
        telemetry = otel_meta.configure("a", set_global=False, log_stream=None, environ={})
        DESTINATION.use(telemetry)
        live.open.add(1)
        handle.add(1)
        DESTINATION.leave(telemetry)
        telemetry.shutdown()
        storage = weakref.ref(telemetry.storage)
        del telemetry
        gc.collect()

        assert storage() is None
        assert sdk.provider is not None

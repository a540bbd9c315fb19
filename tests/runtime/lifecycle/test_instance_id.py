from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from otel_meta.runtime.lifecycle import instance_id
from otel_meta.runtime.lifecycle.instance_id import InstanceId, claim_instance_id
from otel_meta.runtime.resource import create_resource
from otel_meta.runtime.settings import Settings, read_settings
from tests.runtime.forks import in_child

Claim = Callable[[], InstanceId]

OTHER_PROCESS = """
import sys
from otel_meta.runtime.lifecycle.instance_id import InstanceId
instance = InstanceId(sys.argv[1], "maps")
print(instance.value, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def given() -> str:
    """An instance id that no other test uses."""
    return str(uuid4())


@pytest.fixture
def claim(given: str) -> Iterator[Claim]:
    """Function that claims the id for the service "maps"."""
    with ExitStack() as undo:

        def claim() -> InstanceId:
            instance = InstanceId(given, "maps")
            undo.callback(instance.release)
            return instance

        yield claim


@pytest.fixture(params=["socket", "file"])
def each_claim(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim by a socket, as on Linux, or by a file, as elsewhere."""
    monkeypatch.setattr(instance_id, "_CLAIM", getattr(instance_id, f"_claim_{request.param}"))


def settings_of(given: str) -> Settings:
    """Return settings with an instance id from the environment."""
    environ = {"OTEL_RESOURCE_ATTRIBUTES": f"service.instance.id={given}"}
    return read_settings("maps", environ=environ)


class TestProcesses:
    def test_second_process_gets_number_and_ended_process_leaves_its_id(self, given: str) -> None:
        """The second process gets a number; a killed process leaves its id to the next one."""

        def start() -> subprocess.Popen[str]:
            command = [sys.executable, "-c", OTHER_PROCESS, given]
            return subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )

        def value(process: subprocess.Popen[str]) -> str:
            assert process.stdout is not None
            return process.stdout.readline().strip()

        with start() as first:
            assert given == value(first)
            with start() as second:
                assert f"{given}/2" == value(second)
                first.kill()
                first.wait()
                with start() as third:
                    assert given == value(third)
                    third.kill()
                second.kill()

    def test_id_with_other_service_is_other_id(self, given: str, claim: Claim) -> None:
        """An id is shared by the processes of one service only."""
        first, second = claim(), InstanceId(given, "shop")

        second.release()

        assert (given, given) == (first.value, second.value)

    @pytest.mark.usefixtures("each_claim")
    def test_released_id_goes_to_next(self, given: str, claim: Claim) -> None:
        """A released id goes to the next, and a held id does not."""
        first, second = claim(), claim()
        first.release()
        third = claim()

        assert (f"{given}/2", given) == (second.value, third.value)

    @pytest.mark.usefixtures("each_claim")
    def test_forked_child_gets_id_of_its_own_and_parent_keeps_its_id(
        self, given: str, claim: Claim
    ) -> None:
        """A forked child gets an id of its own, and the parent keeps its id."""
        instance = claim()

        assert f"{given}/2" == in_child(lambda: instance.value)
        assert (given, f"{given}/2") == (instance.value, claim().value)

    def test_child_of_released_id_claims_nothing(self, given: str, claim: Claim) -> None:
        """A child that is forked after the release claims nothing."""
        instance = claim()
        instance.release()

        assert given == in_child(lambda: claim().value)

    def test_forked_child_has_unique_id_where_nothing_can_be_claimed(
        self, given: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A forked child has a unique id even where neither socket nor file can be claimed."""

        def refuse(_name: str) -> None:
            raise OSError(errno.EROFS, "read-only file system")

        monkeypatch.setattr(instance_id, "_CLAIM", refuse)
        instance = InstanceId(given, "maps")
        value, pid = in_child(lambda: (instance.value, os.getpid()))

        assert (given, f"{given}/{pid}") == (instance.value, value)


class TestResource:
    @pytest.mark.parametrize(
        "provide",
        [
            lambda resource: TracerProvider(resource=resource, shutdown_on_exit=False),
            lambda resource: MeterProvider(resource=resource, shutdown_on_exit=False),
        ],
    )
    def test_exporters_of_forked_child_use_its_id(
        self, given: str, provide: Callable[[Any], object]
    ) -> None:
        """The exporters of a forked child use its id, also after a second fork."""
        settings = settings_of(given)
        instance = claim_instance_id(settings)
        provider = provide(create_resource(settings, instance))

        def resource_id() -> object:
            holder: Any = getattr(provider, "_sdk_config", provider)
            return holder.resource.attributes["service.instance.id"]

        assert given == resource_id()
        assert (f"{given}/2", f"{given}/3") == in_child(
            lambda: (resource_id(), in_child(resource_id))
        )
        assert instance is not None
        instance.release()

    def test_process_without_given_id_has_random_id(self) -> None:
        """A process without a given id has the random id of the SDK."""
        settings = read_settings("maps", environ={})

        assert claim_instance_id(settings) is None
        assert create_resource(settings).attributes["service.instance.id"]

    def test_changed_id_is_named_with_given_id(self, given: str, claim: Claim) -> None:
        """The notice of a changed id names both ids."""
        first, second = claim(), claim()

        assert (False, True) == (first.is_changed, second.is_changed)
        assert f"'{given}' of the environment" in second.notice
        assert f"'{given}/2'" in second.notice

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from otel_meta import Counter, MetaRepo, NoLabels, configure
from otel_meta.runtime.lifecycle.reachability import Reachability
from otel_meta.runtime.settings import read_settings
from otel_meta.testing import capture

if TYPE_CHECKING:
    from tests.conftest import Eventually, Run

ATLAS = """
import os
from otel_meta import Counter, MetaRepo, NoLabels, configure
class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    '''Map tiles.'''
    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)
telemetry = configure("maps", Atlas)
atlas = telemetry.bind(Atlas)
"""
RECORDED = f"{ATLAS}atlas.tiles.add(1)\n"
POOL = f"""{ATLAS}
import multiprocessing
def work(_):
    atlas.tiles.add(1)
with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as pool:
    pool.map(work, range(4), chunksize=1)
    pool.close()
    pool.join()
"""


class Atlas(MetaRepo, name="atlas-maps", owner="maps"):
    """Map tiles."""

    tiles = Counter("atlas.tiles", "Tiles.", NoLabels)


def checked(caplog: pytest.LogCaptureFixture, **options: Any) -> list[str]:
    """Return the warnings of a process that has recorded metrics, with these options."""
    has_port = options.pop("has_port", False)
    settings = read_settings("maps", **{"environ": {}, **options})
    reachability = Reachability(settings, has_port=has_port, has_recorded=lambda: True)
    reachability.expect_readers()
    reachability.check()
    reachability.check()
    return caplog.messages


class TestCheck:
    def test_metrics_that_nobody_can_read_are_warned_of_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Metrics that nobody can read are warned of once, with three ways to mend it."""
        (message,) = checked(caplog)

        for way in (
            "OTEL_EXPORTER_PROMETHEUS_PORT",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "instrument_fastapi(app)",
        ):
            assert way in message

    @pytest.mark.parametrize(
        "options",
        [
            {"has_port": True},
            {"metrics": "none"},
            {"metrics": ("prometheus", "otlp")},
            {"otlp_endpoint": "http://localhost:4318"},
            {"environ": {"OTEL_META_MULTIPROCESS_DIR": "numbers"}},
            {"environ": {"OTEL_SDK_DISABLED": "true"}},
        ],
    )
    def test_metrics_that_somebody_can_read_cause_no_warning(
        self, caplog: pytest.LogCaptureFixture, options: dict[str, Any]
    ) -> None:
        """Metrics that somebody can read, or that nobody wants, cause no warning."""
        assert [] == checked(caplog, **options)

    def test_process_without_recordings_causes_no_warning(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A process without recordings causes no warning."""
        settings = read_settings("maps", environ={})
        reachability = Reachability(settings, has_port=False, has_recorded=lambda: False)
        reachability.expect_readers()
        reachability.check()

        assert [] == caplog.messages

    def test_children_warn_once_together(self, caplog: pytest.LogCaptureFixture) -> None:
        """The forked children of a process warn once, together with their parent."""
        settings = read_settings("maps", environ={})
        reachability = Reachability(settings, has_port=True, has_recorded=lambda: True)
        reachability.expect_readers()
        child = os.fork()
        if not child:
            reachability.check()
            os._exit(0)
        os.waitpid(child, 0)
        reachability.after_fork()
        reachability.check()

        assert [] == caplog.messages

    def test_captured_metrics_cause_no_warning(self) -> None:
        """Metrics of a test, which a capture reads, cause no warning."""
        with capture("maps", Atlas) as captured:
            captured.bind(Atlas).tiles.add(1)

        assert [] == captured.logs()

    def test_running_process_warns_at_interval(
        self,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        eventually: Eventually,
    ) -> None:
        """A process that does not end warns as well, some seconds after its first recording."""
        monkeypatch.setattr("otel_meta.runtime.telemetry.INTERVAL", 0.01)
        with configure("maps", Atlas, log_stream=None, environ={}) as telemetry:
            telemetry.bind(Atlas).tiles.add(1)

            eventually(lambda: "nobody can read the metrics" in caplog.text)


class TestProcess:
    @pytest.mark.parametrize(
        ("program", "variables", "warnings"),
        [
            (RECORDED, {}, ["nobody can read the metrics of this process"]),
            (
                f"{RECORDED}telemetry.shutdown()",
                {},
                ["nobody can read the metrics of this process"],
            ),
            (f"{RECORDED}telemetry.scrape.render()", {}, []),
            (ATLAS, {}, []),
            (RECORDED, {"OTEL_EXPORTER_PROMETHEUS_PORT": "0"}, []),
            (POOL, {"OTEL_EXPORTER_PROMETHEUS_PORT": "0"}, ["a forked process records metrics"]),
        ],
    )
    def test_process_warns_at_its_end_if_nobody_can_read_its_metrics(
        self,
        script: Callable[..., Run],
        program: str,
        variables: dict[str, str],
        warnings: list[str],
    ) -> None:
        """A process warns at its end if nobody can read its metrics."""
        run = script(program, OTEL_EXPORTER_PROMETHEUS_HOST="127.0.0.1", **variables)
        events = [line["event"] for line in run.lines if line["level"] == "warning"]

        assert (0, "") == (run.code, run.stderr)
        assert warnings == [re.split("[:,]", event)[0] for event in events]

"""``otel-meta slo`` and ``otel-meta budget`` on a real Prometheus with recordings."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otel_meta.cli import main
from otel_meta.testing.loopback import free_port, open_url
from tests.backends import recorded_slo as recorded
from tests.waiting import poll

RunCommand = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the Prometheus."""
    with recorded.recorded_slo(tmp_path_factory.mktemp("prometheus")) as url:
        yield url


@pytest.fixture
def run_command(capsys: pytest.CaptureFixture[str]) -> RunCommand:
    """Function that runs a command in this process: exit code, output, error output."""

    def run(*arguments: str) -> tuple[int, str, str]:
        return (main(arguments), *capsys.readouterr())

    return run


def numbers(alerts: list[dict[str, Any]], key: str) -> list[Any]:
    """Return the values of a key, by alert."""
    return [alert[key] for alert in alerts]


class TestSlo:
    def test_fleet_has_the_row_of_the_recorded_service(
        self, server: str, run_command: RunCommand
    ) -> None:
        """The fleet's table has the recorded service, its events and the budget that is left."""
        code, out, err = run_command("slo", "--prometheus", server, "--service", "payments")

        assert (0, "") == (code, err)
        assert f"payments  {recorded.SLO}" in out
        assert " 2,592,000  1,800 " in out
        assert "   30.6%" in out

    def test_gate_passes_with_data_and_fails_without_it(
        self, server: str, run_command: RunCommand
    ) -> None:
        """The gate lets a recorded SLO pass, and an SLO that no service has fail."""
        gate = ("slo", "--prometheus", server, "--fail-on", "breached,at_risk,no_data", "--slo")
        passed, _, _ = run_command(*gate, recorded.SLO)
        failed, _, err = run_command(*gate, recorded.SLO, "--slo", "aurora-api-availability")

        assert (0, 1, 1) == (passed, failed, len(err.splitlines()))
        assert "aurora-api-availability: no_data" in err

    def test_variable_names_the_server(
        self, server: str, run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The variable names the server, so that no option is needed."""
        monkeypatch.setenv("OTEL_META_SERVER_URL", server)
        code, out, _ = run_command("slo", "--json")

        assert (0, recorded.SLO) == (code, json.loads(out)["slos"][0]["name"])

    def test_server_that_is_down_is_one_line(self, run_command: RunCommand) -> None:
        """A server that is down is one line and exit code 3, also for the gate."""
        url = f"http://127.0.0.1:{free_port()}"
        code, out, err = run_command("slo", "--prometheus", url, "--fail-on", "breached")

        assert (3, "", 1) == (code, out, len(err.splitlines()))
        assert f"{url}: cannot be reached" in err

    def test_page_of_the_fleet_is_served_until_ctrl_c(self, server: str) -> None:
        """The page of the fleet is served with the recorded SLO, until Ctrl-C."""
        url = f"http://127.0.0.1:{free_port()}/"
        command = ("slo", "serve", "--prometheus", server, "--port", url.split(":")[2].strip("/"))

        def page() -> str:
            try:
                with open_url(f"{url}slo", timeout=10) as response:
                    return str(response.read())
            except OSError:
                return ""

        with subprocess.Popen([sys.executable, "-m", "otel_meta", *command]) as process:
            text = poll(page)
            process.send_signal(signal.SIGINT)

        assert 0 == process.returncode
        assert recorded.SLO in text


class TestBudget:
    def test_bad_events_that_are_left_are_counted(
        self, server: str, run_command: RunCommand
    ) -> None:
        """The report has the bad events that the budget of the recorded traffic leaves."""
        code, out, err = run_command("budget", recorded.SLO, "--prometheus", server)

        assert (0, "") == (code, err)
        assert "payments: 30.6% of the error budget left; at 2,592,000 in 30d, 2,592 may" in out
        assert "792 more from now on" in out

    def test_other_objective_is_replayed_on_the_recorded_past(
        self, server: str, run_command: RunCommand
    ) -> None:
        """Another objective has the budget and the minutes of alerts of the recorded outage."""
        _, out, _ = run_command(
            "budget", recorded.SLO, "--prometheus", server, "--objective", "99.95%", "--json"
        )
        (past,) = json.loads(out)["replay"]
        declared, other = past["objectives"]

        assert (recorded.BAD, recorded.TOTAL) == (past["bad"], past["total"])
        assert ["99.9%", "99.95%"] == [declared["objective"], other["objective"]]
        assert 1 - 1800 / 2592 == pytest.approx(declared["budget_left"])
        assert 1 - 1800 / 1296 == pytest.approx(other["budget_left"])
        # The outage has 60 bad events a minute: 2 are more than 0.36 % of an hour, 1 is not.
        assert (34, 57) == tuple(numbers(declared["alerts"], "minutes")[:2])
        assert [1, 1, 1, 1] == numbers(declared["alerts"], "times")
        assert all(
            more >= fewer
            for more, fewer in zip(
                numbers(other["alerts"], "minutes"),
                numbers(declared["alerts"], "minutes"),
                strict=True,
            )
        )

    def test_service_that_the_server_does_not_know_has_no_data(
        self, server: str, run_command: RunCommand
    ) -> None:
        """A service that the server does not know has no data, and its traffic is not known."""
        code, out, _ = run_command(
            "budget", recorded.SLO, "--prometheus", server, "--service", "absent"
        )

        assert 0 == code
        assert "The traffic of a period is not known" in out
        assert "? no_data" in out

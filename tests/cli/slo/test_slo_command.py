"""``otel-meta slo`` on the pages of services."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

from otel_meta.cli.slo.status_pages import page_url
from otel_meta.testing.loopback import free_port
from tests.cli.conftest import Command, RunCommand, clean_environment
from tests.cli.slo.service_pages import ServicePages, page, service_pages
from tests.cli.slo.status_rows import status_row
from tests.cli.terminal_output import ON_TERMINAL
from tests.fleet.http_answers import trickling
from tests.runtime.export.raw_server import RawServer
from tests.waiting import wait_until

BREACHED = status_row(state="breached", budget_left=-0.5)


@pytest.fixture
def pages() -> Iterator[ServicePages]:
    """A server of the page of a service."""
    with service_pages() as served:
        yield served


@pytest.fixture
def nobody() -> str:
    """A URL where nothing listens."""
    return f"http://127.0.0.1:{free_port()}"


class TestPages:
    @pytest.mark.parametrize("path", ["", "/", "/slo", "/slo/"])
    def test_base_url_and_page_are_both_read(
        self, path: str, pages: ServicePages, run_command: RunCommand
    ) -> None:
        """The base URL of a service and the URL of its page show the same table."""
        code, out, err = run_command("slo", pages.url + path)

        assert (0, "", ["/slo"]) == (code, err, [path for path, _ in pages.requests])
        assert "payments  titan-service-availability" in out

    def test_page_below_another_path_keeps_its_path(self) -> None:
        """A service below a path has its page below the path."""
        assert "http://x/api/slo" == page_url("http://x/api") == page_url("http://x/api/slo")

    def test_pipe_gets_every_column_and_no_colour(
        self, pages: ServicePages, run_command: RunCommand
    ) -> None:
        """A pipe gets every column, without colours and without broken lines."""
        _, out, _ = run_command("slo", pages.url)
        heading, _, row = out.splitlines()

        assert " ".join(heading.split()) == (
            "META-REPOSITORY SERVICE SLO OBJECTIVE STATE EVENTS BAD BUDGET LEFT BURN 5m BURN 1h "
            "FASTEST BURN-DOWN GONE IN COVERED"
        )
        assert row.endswith("100%")
        assert "\x1b" not in out

    def test_service_that_does_not_answer_is_a_line_and_the_others_are_shown(
        self, pages: ServicePages, nobody: str, run_command: RunCommand
    ) -> None:
        """A service that does not answer is a line and exit code 3; the others are shown."""
        code, out, err = run_command("slo", nobody, pages.url)

        assert (3, 1) == (code, len(err.splitlines()))
        assert f"{nobody}: cannot be reached" in err
        assert "payments" in out

    def test_service_that_never_answers_is_given_up(
        self, pages: ServicePages, run_command: RunCommand
    ) -> None:
        """A service that accepts and never answers is given up after the time-out."""
        pages.answers.clear()
        code, _, err = run_command("slo", pages.url, "--timeout", "0.2")

        assert (3, 1) == (code, len(err.splitlines()))
        assert "does not answer within 0.2 s" in err

    @pytest.mark.parametrize(
        ("status", "body", "problem"),
        [
            (401, b"", "answers 401; give --token, or set OTEL_META_PROMETHEUS_TOKEN"),
            (404, b"", "answers 404; name the base URL of a service"),
            (500, b"", "answers 500; look into the log"),
            (200, b"<html>", "answers with no JSON"),
            (200, b"[]", "answers without SLOs"),
            (200, b'{"slos": [1]}', "an SLO has no name"),
            (200, b'{"slos": [{"name": "x"}]}', "another version of otel_meta"),
            (200, page("a", status_row(state="new")), "a state of a newer otel_meta"),
            (200, page("a", status_row(bad="many")), "an SLO has no bad, or in another form"),
            (200, page("a", status_row(total=inf)), "an SLO has no total, or in another form"),
            (200, page("a", status_row(budget_left=nan)), "an SLO has no budget_left, or in"),
            (200, page("a", status_row(burn_rates=[1])), "an SLO has no burn_rates, or in"),
            (200, page("a", status_row(burn_down=[[1]])), "an SLO has no burn_down, or in"),
            (200, page("a", status_row(service={"a": 1})), "an SLO has no service, or in"),
            (200, b'{"slos": {}}', "the answer has no slos, or in another form"),
            (200, b'{"slos": [], "corrections": [{}]}', "the answer has no corrections, or in"),
            (200, b'{"slos": [], "corrections": null}', "the answer has no corrections, or in"),
            (200, b'{"slos": [], "hint": 1}', "the answer has no hint, or in another form"),
            (200, b"[" * 100_000, "answers with no JSON"),
        ],
    )
    def test_wrong_answer_is_one_line(
        self, status: int, body: bytes, problem: str, pages: ServicePages, run_command: RunCommand
    ) -> None:
        """An answer that is no page of SLOs is one line, and exit code 3."""
        pages.status, pages.body = status, body
        code, _, err = run_command("slo", pages.url)

        assert (3, 1) == (code, len(err.splitlines()))
        assert problem in err

    def test_service_that_never_ends_its_answer_is_given_up(self, run_command: RunCommand) -> None:
        """A service whose answer never ends is given up after the time-out."""
        with RawServer(trickling) as server:
            code, _, err = run_command("slo", server.url, "--timeout", "0.3")

        assert (3, 1) == (code, len(err.splitlines()))
        assert "does not answer within 0.3 s" in err

    @pytest.mark.parametrize("host", ["a" * 300, "xn--", "a..b"])
    def test_host_that_no_name_can_be_is_one_line(self, host: str, run_command: RunCommand) -> None:
        """A host with a label that no name may have is one line."""
        code, _, err = run_command("slo", f"http://{host}")

        assert (3, 1) == (code, len(err.splitlines()))
        assert "correct the URL" in err

    def test_text_of_a_service_cannot_move_the_cursor(
        self, pages: ServicePages, run_command: RunCommand
    ) -> None:
        """Control characters of a service reach neither the table nor an error."""
        hostile = "pay\x1b[2J\x9b1m\x00\u202e"
        pages.body = page("a", status_row(hostile, name=hostile, noun=hostile))
        code, out, err = run_command("slo", pages.url, "--fail-on", "ok")

        assert 1 == code
        assert "pay[2J1m" in out
        assert "pay[2J1m" in err
        assert "" == "".join(each for each in out + err if not each.isprintable() and each != "\n")

    def test_hint_of_a_service_without_slos_is_shown(
        self, pages: ServicePages, run_command: RunCommand
    ) -> None:
        """A service without SLOs shows its hint, and exit code 1: nothing is known."""
        pages.body = json.dumps({"service_name": "x", "slos": [], "hint": "bind one"}).encode()
        code, out, _ = run_command("slo", pages.url)

        assert 1 == code
        assert "bind one" in out

    def test_corrections_of_the_services_are_listed_once(
        self, pages: ServicePages, run_command: RunCommand
    ) -> None:
        """A correction that two services have is one line below the table."""
        correction = {
            "begin": "2026-11-20T10:00:00Z",
            "end": "2026-11-20T11:00:00Z",
            "reason": "Announced maintenance.",
            "kind": "maintenance",
            "slos": [],
            "service": {},
        }
        content = json.loads(page("payments", status_row())) | {"corrections": [correction]}
        pages.body = json.dumps(content).encode()
        _, out, _ = run_command("slo", pages.url, f"{pages.url}/slo")

        (line,) = (line for line in out.splitlines() if "Excluded" in line)
        assert line == (
            "Excluded: 2026-11-20T10:00:00Z to 2026-11-20T11:00:00Z, maintenance, all SLOs: "
            "Announced maintenance."
        )


class TestToken:
    def authorization(self, pages: ServicePages) -> str | None:
        """Return the header of the only request."""
        ((_, headers),) = pages.requests
        return headers.get("authorization")

    @pytest.mark.parametrize(
        ("variables", "options", "sent"),
        [
            ([], [], None),
            ([], ["--token", "typed"], "Bearer typed"),
            (["OTEL_META_PROMETHEUS_TOKEN"], [], "Bearer secret"),
            (["OTEL_META_PROMETHEUS_TOKEN"], ["--token", "typed"], "Bearer typed"),
            (["OTEL_META_SERVER_TOKEN"], [], None),
            (["OTEL_META_SERVER_USER", "OTEL_META_SERVER_PASSWORD"], [], None),
        ],
    )
    def test_service_gets_its_own_token_and_never_that_of_the_server(
        self, variables: list[str], options: list[str], sent: str | None, otel_meta: Command
    ) -> None:
        """A service gets the typed token, or that of services; never the server's credentials."""
        added = dict.fromkeys(variables, "secret")
        with service_pages() as pages:
            otel_meta("slo", pages.url, *options, env={**clean_environment(), **added})

        assert sent == self.authorization(pages)


class TestSelection:
    @pytest.mark.parametrize(
        ("options", "shown"),
        [
            ([], {"a", "b"}),
            (["--service", "a"], {"a"}),
            (["--service", "a", "--service", "b"], {"a", "b"}),
            (["--slo", "other"], {"b"}),
            (["--state", "at_risk"], {"b"}),
            (["--repo", "titan"], {"a"}),
        ],
    )
    def test_only_selected_statuses_are_shown(
        self, options: list[str], shown: set[str], pages: ServicePages, run_command: RunCommand
    ) -> None:
        """Only the statuses of the selected names and states are shown."""
        rows = [
            status_row("a", service={"service_name": "a"}),
            status_row(service={"service_name": "b"}, name="other", repo="x", state="at_risk"),
        ]
        pages.body = page("payments", *rows)
        code, out, _ = run_command("slo", pages.url, "--json", *options)

        assert 0 == code
        assert shown == {row["service"]["service_name"] for row in json.loads(out)["slos"]}

    def test_state_that_no_slo_has_is_said(
        self, pages: ServicePages, run_command: RunCommand
    ) -> None:
        """A state that no SLO has is a line, and no failure."""
        assert (0, "None of 1 SLOs is breached.\n", "") == run_command(
            "slo", pages.url, "--state", "breached"
        )


class TestGate:
    @pytest.mark.parametrize(
        ("row", "options", "expected"),
        [
            (status_row(), ["--fail-on", "breached,at_risk,no_data"], 0),
            (BREACHED, [], 0),
            (BREACHED, ["--fail-on", "at_risk"], 0),
            (BREACHED, ["--fail-on", "at_risk,breached"], 1),
            (status_row(), ["--fail-on", "no_data", "--service", "other"], 1),
            (status_row(coverage=0.1), ["--require-coverage", "25%"], 1),
            (status_row(coverage=0.3), ["--require-coverage", "25%"], 0),
        ],
    )
    def test_gate_fails_with_one_line(
        self,
        row: Any,
        options: list[str],
        expected: int,
        pages: ServicePages,
        run_command: RunCommand,
    ) -> None:
        """A gate fails with exit code 1 and one line for each status that fails."""
        pages.body = page("payments", row)
        code, _, err = run_command("slo", pages.url, *options)

        assert (expected, expected) == (code, len(err.splitlines()))

    def test_json_has_the_failures(self, pages: ServicePages, run_command: RunCommand) -> None:
        """The JSON has the statuses, the notes, the problems and the failures of the gate."""
        pages.body = page("payments", BREACHED)
        _, out, err = run_command("slo", pages.url, "--json", "--fail-on", "breached")
        found = json.loads(out)

        assert ["slos", "corrections", "notes", "problems", "failures"] == [*found]
        assert [f"otel-meta: {line}" for line in found["failures"]] == err.splitlines()
        assert -0.5 == found["slos"][0]["budget_left"]


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            ([], "no server is named; give --prometheus URL, set OTEL_META_SERVER_URL"),
            (["localhost:8000"], "write it as http://localhost:8000"),
            (["sreve"], "did you mean 'serve'?"),
            (["http://x", "--fail-on", "breeched"], "did you mean 'breached'?"),
            (["http://x", "--state", "OK"], "is not one of"),
            (["http://x", "--require-coverage", "0.25"], "write it as 25%"),
            (["http://x", "--require-coverage", "101%"], "up to 100"),
            (["http://x", "--timeout", "-1"], "is not a number of seconds above 0"),
            (["http://x", "--watch", "--json"], "omit --json and the gate"),
            (["http://x", "--watch", "--fail-on", "breached"], "omit --json and the gate"),
            (["http://x", "--every", "3"], "add --watch"),
            (["http://x", "--watch", "--every", "0"], "is not a number of seconds above 0"),
            (["http://x", "--prometheus", "http://y"], "give one of them"),
            (["--prometheus", "http://me:pw@x"], "give the user and the password apart"),
            (["serve", "http://x"], "give --prometheus URL"),
            (
                ["serve", "--prometheus", "http://x", "--port", "70000"],
                "--port: Input should be less",
            ),
            (["--prometheus", "http://x", "--slo", "titan-servce-availability"], "did you mean"),
            (["--prometheus", "http://x", "--ca-file", "absent.pem"], "absent.pem"),
            (["--prometheus", "http://x", "--token", "a", "--user", "b"], "a token and a user"),
        ],
    )
    def test_mistake_is_one_line(
        self, arguments: list[str], problem: str, run_command: RunCommand
    ) -> None:
        """A mistake is one line, and exit code 2."""
        code, out, err = run_command("slo", *arguments)

        assert (2, "", 1) == (code, out, len(err.splitlines())), err
        assert problem in err


class TestWatch:
    def watching(self, program: Path, environment: dict[str, str], url: str) -> Any:
        """Start the command with its output in a pipe."""
        return subprocess.Popen(
            [program, "slo", url, "--watch", "--every", "0.1", "--timeout", "5"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def test_ctrl_c_ends_with_the_last_table(
        self, pages: ServicePages, program: Path, environment: dict[str, str]
    ) -> None:
        """Ctrl-C ends the command with exit code 0 and the last table, without an error."""
        with self.watching(program, environment, pages.url) as process:
            wait_until(lambda: len(pages.requests) > 2)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)

        assert (0, "") == (process.returncode, err)
        assert out.rstrip().splitlines()[-1].startswith("titan-microservices-mesh")

    def test_error_is_shown_below_the_last_statuses(
        self, pages: ServicePages, program: Path, environment: dict[str, str]
    ) -> None:
        """A service that fails later is a line; the next answer replaces it."""
        pages.status = 500
        with self.watching(program, environment, pages.url) as process:
            wait_until(lambda: len(pages.requests) > 1)
            pages.status = 200
            asked = len(pages.requests)
            wait_until(lambda: len(pages.requests) > asked + 2)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)

        assert out.index("answers 500") < out.index("titan-service-availability")
        assert "answers 500" not in out[out.index("titan-service-availability") :]

    def test_screen_of_the_terminal_is_restored(
        self, pages: ServicePages, program: Path, environment: dict[str, str]
    ) -> None:
        """On a terminal the statuses have a screen of their own, which Ctrl-C leaves."""
        screen, inside = os.openpty()
        command = [str(program), "slo", pages.url, "--watch", "--every", "0.1"]
        process = subprocess.Popen(
            [sys.executable, "-c", ON_TERMINAL, "150", *command],
            env={"TERM": "xterm", **environment},
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)
        text = b""
        with suppress(OSError):  # nobody writes any more
            while part := os.read(screen, 1 << 16):
                if b"OBJECTIVE" in part and not text.count(b"OBJECTIVE"):
                    os.write(screen, b"\x03")
                text += part
        os.close(screen)

        assert 0 == process.wait(60)
        before, own, after = re.split(r"\x1b\[\?1049[hl]", text.decode())
        assert "" == before
        assert "Ctrl-C ends" in own
        assert "Ctrl-C" not in after.replace("^C", "")
        assert "titan-service-availability" in after

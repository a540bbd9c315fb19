"""``otel-meta backfill``: the counts, and the answers to mistakes; no server is needed."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_meta.cli.commands.backfill_command import cumulated
from otel_meta.testing.loopback import LOOPBACK
from tests.cli.conftest import RunCommand

HOUR = 3600
HOURS = range(0, 24 * HOUR, HOUR)
ARGUMENTS = ("--out", "out", "--slo", "chronos-pipeline-success", "--promtool", "false")


class Refusing(http.server.BaseHTTPRequestHandler):
    """Answers each query with the status and the body of the class."""

    status, body = 422, b'{"status":"error","error":"query timed out"}'

    def do_POST(self) -> None:
        """Answer."""
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Print nothing."""


class Page(Refusing):
    """Answers with a page, as a proxy does."""

    status, body = 200, b"<html>log in</html>"


@pytest.fixture
def serve() -> Iterator[object]:
    """Run servers in threads."""
    servers: list[http.server.HTTPServer] = []

    def start(handler: type[Refusing]) -> str:
        server = http.server.HTTPServer((LOOPBACK, 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://{LOOPBACK}:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class Empty(Refusing):
    """Answers that there is no series."""

    status, body = 200, b'{"status":"success","data":{"resultType":"matrix","result":[]}}'


class TestCumulated:
    def test_counts_over_six_hours_add_up_once(self) -> None:
        """Counts over overlapping windows of six hours add up to each event once."""
        found = cumulated(dict.fromkeys(HOURS, 6.0), HOURS)

        assert [6.0, 6.0, 12.0, 18.0, 24.0] == [found[hour * HOUR] for hour in (0, 5, 6, 12, 18)]

    def test_hole_without_data_has_no_values_and_continues(self) -> None:
        """A hole without data has no values; afterwards the counts continue."""
        counts = {at: 6.0 for at in HOURS if not 8 <= at // HOUR < 16}
        found = cumulated(counts, HOURS)

        assert found.keys() == counts.keys()
        assert found[16 * HOUR] == found[7 * HOUR] + 6.0

    def test_count_never_goes_back(self) -> None:
        """A count never goes back."""
        falling = {at: max(0.0, 10.0 - at / HOUR) for at in HOURS}
        values = [*cumulated(falling, HOURS).values()]

        assert values == sorted(values)


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("--prometheus", "localhost:9090"), "is not a URL; write it as https://host/path"),
        (("--prometheus", "http://x", "--period", "month"), "is not a time such as 30d"),
        (("--prometheus", "http://x", "--from", "monday"), "is not a time such as 2026-01-31T12"),
        (("--prometheus", "http://x", "--slo", "chronos-pipline-success"), "did you mean 'chron"),
        (
            ("--prometheus", "http://x", "--from", "2026-02-01", "--to", "2026-01-01"),
            "--from is not before --to",
        ),
        (("--prometheus", "http://x", "--timeout", "0"), "'0' is not a number of seconds above 0"),
        (("--prometheus", "http://x", "--timeout", "nan"), "is not a number of seconds above 0"),
    ],
)
def test_mistake_is_one_line_and_nothing_is_written(
    arguments: tuple[str, ...], wrong: str, run_command: RunCommand, tmp_path: Path
) -> None:
    """A mistake is one line with exit code 2, and nothing is written."""
    code, out, err = run_command("backfill", *ARGUMENTS, *arguments)

    assert (2, "", 1) == (code, out, len(err.splitlines()))
    assert wrong in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("handler", "wrong"),
    [
        (Refusing, "cannot evaluate a query (422): query timed out"),
        (Page, "answers with a page of HTML"),
    ],
)
def test_answer_that_is_none_is_one_line(
    handler: type[Refusing], wrong: str, run_command: RunCommand, serve: object
) -> None:
    """A refusal and a page of a proxy are one line with the reason."""
    assert callable(serve)
    code, out, err = run_command("backfill", *ARGUMENTS, "--prometheus", serve(handler))

    assert (3, "", 1) == (code, out, len(err.splitlines()))
    assert wrong in err


def test_server_that_does_not_listen_is_one_line(run_command: RunCommand, tmp_path: Path) -> None:
    """A server that does not listen is one line with exit code 3, and nothing is written."""
    code, out, err = run_command("backfill", *ARGUMENTS, "--prometheus", "http://127.0.0.1:1")

    assert (3, "", 1) == (code, out, len(err.splitlines()))
    assert "http://127.0.0.1:1: cannot be reached" in err
    assert not (tmp_path / "out").exists()


def test_file_in_place_of_folder_is_refused(run_command: RunCommand, tmp_path: Path) -> None:
    """A file in the place of the folder is one line that names the option."""
    (tmp_path / "out").touch()
    code, _, err = run_command("backfill", *ARGUMENTS, "--prometheus", "http://x")

    assert (2, 1) == (code, len(err.splitlines()))
    assert "--out out: is a file; name a new folder" in err


def test_folder_with_files_is_refused(run_command: RunCommand, tmp_path: Path) -> None:
    """A folder that has files already is refused."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").touch()
    out = str(tmp_path / "out")
    code, _, err = run_command(
        "backfill", "--prometheus", "http://x", "--promtool", "false", "--out", out
    )

    assert 2 == code
    assert "the folder is not empty" in err


def test_no_data_is_finding(run_command: RunCommand, serve: object) -> None:
    """A server without data is a finding, as text and as JSON."""
    assert callable(serve)
    url = serve(Empty)

    code, out, err = run_command("backfill", *ARGUMENTS, "--prometheus", url)
    as_json = run_command("backfill", *ARGUMENTS, "--prometheus", url, "--json")

    assert (1, "") == (code, err)
    assert out.startswith(f"{url} has no events of these SLOs")
    assert (1, {"samples": 0, "series": 0, "out": "out"}) == (as_json[0], json.loads(as_json[1]))

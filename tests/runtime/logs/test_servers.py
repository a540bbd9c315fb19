from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from otel_meta.testing.loopback import free_port, open_url
from tests.conftest import PATIENCE, environment, wait_until

SHOP = """
import logging

from fastapi import FastAPI

import otel_meta

telemetry = otel_meta.configure("shop")
app = FastAPI()
otel_meta.instrument_fastapi(app, telemetry)


@app.get("/x")
async def x() -> str:
    logging.getLogger("gunicorn.error").info("from a worker")
    logging.getLogger("shop").warning("from the app")
    return ""


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app, port=PORT)
"""
LOG_CONFIG = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {
        "access": {"class": "logging.FileHandler", "filename": "access.log"},
        "root": {"class": "logging.FileHandler", "filename": "root.log"},
    },
    "loggers": {
        "uvicorn.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
    },
    "root": {"handlers": ["root"], "level": "INFO"},
}


class Served:
    """The output of a server that answered one request."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def text(self) -> str:
        """Standard output and standard error."""
        return (self.folder / "out").read_text()

    @property
    def others(self) -> list[str]:
        """The lines that are no JSON."""
        return [line for line in self.text.splitlines() if not line.startswith("{")]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines that are JSON."""
        return [json.loads(line) for line in self.text.splitlines() if line.startswith("{")]

    def count(self, event: str) -> int:
        """Return the number of lines with an event."""
        return sum(line["event"] == event for line in self.lines)


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., Served]:
    """Function that starts a server, sends a request, and stops the server."""

    def run(*command: str, **given: str) -> Served:
        port = free_port()
        (tmp_path / "service.py").write_text(SHOP.replace("PORT", str(port)))
        (tmp_path / "log.json").write_text(json.dumps(LOG_CONFIG))
        arguments = [part.replace("PORT", str(port)) for part in command]
        with (tmp_path / "out").open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=tmp_path,
                env=environment(given),
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_until(lambda: process.poll() is not None or _answers(port))
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
        finally:
            process.kill()
        return Served(tmp_path)

    return run


def _answers(port: int) -> bool:
    with contextlib.suppress(URLError, ConnectionError):
        open_url(f"http://127.0.0.1:{port}/x", timeout=PATIENCE).close()
        return True
    time.sleep(0.02)
    return False


UVICORN = ("-m", "uvicorn", "service:app", "--port", "PORT")
GUNICORN = (
    *("-m", "gunicorn", "service:app", "--bind", "127.0.0.1:PORT", "--workers", "1"),
    *("--worker-class", "uvicorn_worker.UvicornWorker", "--no-control-socket"),
)


class TestUvicorn:
    def test_every_line_is_json_and_none_is_double(self, serve: Callable[..., Served]) -> None:
        """Every line of uvicorn is JSON, and none is double."""
        served = serve(*UVICORN)

        assert [] == served.others
        assert (1, 1) == (served.count("request"), served.count("Application startup complete."))

    def test_program_that_starts_uvicorn_itself_writes_json(
        self, serve: Callable[..., Served]
    ) -> None:
        """A program that configures telemetry and then starts uvicorn writes JSON alone."""
        served = serve("service.py")

        assert [] == served.others
        assert 1 == served.count("request")
        assert any(line["event"].startswith("Started server process") for line in served.lines)

    def test_no_access_log_is_obeyed(self, serve: Callable[..., Served]) -> None:
        """The option --no-access-log is obeyed."""
        served = serve(*UVICORN, "--no-access-log")

        assert (0, 1) == (served.count("request"), served.count("from the app"))

    def test_level_of_command_is_obeyed(self, serve: Callable[..., Served]) -> None:
        """The option --log-level is obeyed by uvicorn's loggers, and by no others."""
        served = serve(*UVICORN, "--log-level", "warning")

        assert {"from a worker", "from the app"} == {
            line["event"] for line in served.lines if line["logger"] != "otel_meta"
        }

    def test_files_of_log_config_keep_records(self, serve: Callable[..., Served]) -> None:
        """The files of the option --log-config keep their records."""
        served = serve(*UVICORN, "--log-config", "log.json")

        assert "GET /x" in (served.folder / "access.log").read_text()
        assert "from the app" in (served.folder / "root.log").read_text()
        assert (0, 1) == (served.count("request"), served.count("from the app"))


class TestGunicorn:
    @pytest.mark.parametrize("options", [(), ("--access-logfile", "-")])
    def test_lines_of_worker_are_json_with_level(
        self, serve: Callable[..., Served], options: tuple[str, ...]
    ) -> None:
        """Lines of a worker are JSON with level and time, and none is double."""
        served = serve(*GUNICORN, *options)
        (line,) = [line for line in served.lines if line["event"] == "from a worker"]

        assert ("info", "gunicorn.error") == (line["level"], line["logger"])
        assert len(options) // 2 == served.count("request")
        assert [] == [line for line in served.others if "[INFO]" not in line]

    def test_lines_of_preloaded_service_are_json(self, serve: Callable[..., Served]) -> None:
        """With --preload, the lines of gunicorn's main process are JSON as well."""
        served = serve(*GUNICORN, "--preload")

        assert [] == served.others
        assert 1 == sum("Listening at" in line["event"] for line in served.lines)

    def test_file_of_gunicorn_keeps_records(self, serve: Callable[..., Served]) -> None:
        """The files of the options for logs keep their records."""
        served = serve(*GUNICORN, "--error-logfile", "error.log", "--access-logfile", "access.log")

        assert "from a worker" in (served.folder / "error.log").read_text()
        assert "GET /x" in (served.folder / "access.log").read_text()
        assert 1 == served.count("from the app")

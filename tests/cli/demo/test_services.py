from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_meta.cli.demo import services
from otel_meta.cli.demo.services import Service, examples_folder
from otel_meta.cli.demo.stop_signal import StopSignal
from otel_meta.errors import UsageError
from otel_meta.testing.loopback import free_port

if TYPE_CHECKING:
    from tests.cli.demo.conftest import Eventually, Mark

READY_APP = """\
import json, os, sys
print("hello", flush=True)
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    print(json.dumps({"event": scope["path"]}), flush=True)
    request = {"path": scope["path"], "given": os.environ.get("GIVEN"), "method": scope["method"]}
    body = json.dumps({**request, "body": (await receive())["body"].decode()}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""
UNREADY_APP = READY_APP.replace("200", "503")
APP_IGNORING_SIGTERM = f"""\
{READY_APP}
import signal
answering = app
async def app(scope, receive, send):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    await answering(scope, receive, send)
"""
APP_FAILING_IN_LIFESPAN = """\
async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})
"""
APP_FAILING_WITH_JSON_LINES = """\
print('{"event": "bind error"}')
raise SystemExit('{"event": "shutdown complete", "logger": "uvicorn.error"}')
"""

Start = Callable[..., Service]


@pytest.fixture
def start(tmp_path: Path, mark: Mark) -> Iterator[Start]:
    """Function that starts a service from the source of its module."""
    started: list[Service] = []

    def begin(
        text: str,
        name: str = "storefront",
        port: int = 0,
        start_timeout: float = 30.0,
        stop_timeout: float = 8.0,
        **given: str,
    ) -> Service:
        (tmp_path / f"{name}.py").write_text(text)
        environment = mark.environment | given
        service = Service(
            name,
            port or free_port(),
            tmp_path,
            environment,
            start_timeout=start_timeout,
            stop_timeout=stop_timeout,
        )
        started.append(service)
        return started[-1]

    yield begin
    for service in started:
        service.stop()
        assert service._process.stdout is not None
        service._process.stdout.close()


class TestService:
    def test_ready_service_responds_at_its_url_with_its_environment(self, start: Start) -> None:
        """A ready service responds at its URL, with its environment."""
        service = start(READY_APP, GIVEN="something")
        service.wait_until_ready(StopSignal())
        request = {"path": "/slo", "given": "something"}

        assert {**request, "method": "GET", "body": ""} == service.get("/slo")
        assert {**request, "method": "PUT", "body": '{"a": 1}'} == service.put("/slo", {"a": 1})

    def test_log_lines_are_kept_oldest_first_without_line_ends(
        self, start: Start, eventually: Eventually
    ) -> None:
        """Log lines are kept, oldest first, without line ends."""
        service = start(READY_APP)
        service.wait_until_ready(StopSignal())
        service.get("/a")

        assert eventually(lambda: '{"event": "/a"}' in service.lines())
        assert "hello" == service.lines()[0]

    def test_stopped_service_leaves_no_process_and_can_be_stopped_again(
        self, start: Start, mark: Mark
    ) -> None:
        """A stopped service leaves no process, and can be stopped again."""
        service = start(READY_APP)
        service.wait_until_ready(StopSignal())
        alive = mark.processes("storefront:app")
        service.stop()
        service.stop()

        assert 1 == len(alive)
        assert [] == mark.processes()

    def test_service_ends_with_its_context_also_after_exception(
        self, start: Start, mark: Mark
    ) -> None:
        """A service ends with its context, also after an exception."""
        service = start(READY_APP)
        alive = mark.processes()
        with pytest.raises(ZeroDivisionError), service:
            raise ZeroDivisionError

        assert 1 == len(alive)
        assert [] == mark.processes()

    def test_stopped_service_leaves_no_open_pipe(self, start: Start) -> None:
        """A stopped service leaves no open pipe."""
        service = start(READY_APP)
        service.stop()

        assert service._process.stdout is not None
        assert service._process.stdout.closed

    def test_service_that_ignores_sigterm_is_killed(self, start: Start, mark: Mark) -> None:
        """A service that ignores SIGTERM is killed."""
        service = start(APP_IGNORING_SIGTERM, stop_timeout=0.2)
        service.wait_until_ready(StopSignal())
        began = time.monotonic()
        service.stop()

        assert 0.2 <= time.monotonic() - began < 3
        assert [] == mark.processes()

    def test_service_has_its_own_session_so_ctrl_c_in_terminal(
        self, start: Start, mark: Mark
    ) -> None:
        """A service has its own session, so Ctrl-C in the terminal does not reach it."""
        service = start(READY_APP)
        (pid,) = mark.processes()
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        service.stop()

        assert str(pid) == stat[3]

    def test_request_to_stopped_service_is_error_with_its_name(self, start: Start) -> None:
        """A request to a stopped service is an error with its name."""
        service = start(READY_APP)
        service.wait_until_ready(StopSignal())
        service.stop()

        with pytest.raises(UsageError, match=r"^storefront does not answer: "):
            service.get("/slo")
        with pytest.raises(UsageError, match=r"^storefront does not answer: "):
            service.put("/slo", {})

    def test_proxies_of_environment_are_not_used(
        self, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Proxies of the environment are not used."""
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.delenv("no_proxy", raising=False)
        service = start(READY_APP, start_timeout=10.0)
        service.wait_until_ready(StopSignal())

        assert "/slo" == service.get("/slo")["path"]

    def test_output_outside_utf_8_is_replaced_and_later_lines(
        self, start: Start, eventually: Eventually
    ) -> None:
        """Output outside UTF-8 is replaced, and later lines are read."""
        service = start(f"import sys\nsys.stdout.buffer.write(b'\\xff\\n')\n{READY_APP}")
        service.wait_until_ready(StopSignal())

        assert eventually(lambda: "hello" in service.lines(), 3)


class TestStart:
    """Services that fail to start."""

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("app = (", "SyntaxError: '(' was never closed"),
            ("raise RuntimeError('no database')", "RuntimeError: no database"),
            ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
            ("", 'Attribute "app" not found in module "storefront"'),
            ("import os\nos._exit(3)", "no output"),
            (
                "import sys\nfor n in range(200_000): print(n)\nsys.exit('the last line')",
                "the last line",
            ),
            (APP_FAILING_IN_LIFESPAN, "no database"),
            (APP_FAILING_WITH_JSON_LINES, "bind error"),
        ],
        ids=["syntax", "raises", "dependency", "no app", "silent", "long", "lifespan", "JSON"],
    )
    def test_failed_start_is_error_of_one_line_with_last_error(
        self, start: Start, mark: Mark, text: str, message: str
    ) -> None:
        """A failed start is an error of one line with the last error, and leaves no process."""
        service = start(text)

        with pytest.raises(UsageError) as caught:
            service.wait_until_ready(StopSignal())

        assert str(caught.value).startswith("storefront did not start: ")
        assert message in str(caught.value)
        assert 1 == len(str(caught.value).splitlines())
        assert [] == mark.processes()

    def test_another_service_on_port_is_not_mistaken_for_started_one(self, start: Start) -> None:
        """Another service on the port is not mistaken for the started one."""
        other = start(READY_APP, "other")
        other.wait_until_ready(StopSignal())
        service = start(READY_APP, port=int(other.url.rpartition(":")[2]))

        with pytest.raises(UsageError, match="address already in use"):
            service.wait_until_ready(StopSignal())

    def test_stop_signal_ends_wait(self, start: Start) -> None:
        """The stop signal ends the wait."""
        stop = StopSignal()
        stop.set()
        service = start(UNREADY_APP)
        began = time.monotonic()
        service.wait_until_ready(stop)

        assert 1 > time.monotonic() - began

    def test_service_that_is_never_ready_is_error_after_time_out(self, start: Start) -> None:
        """A service that is never ready is an error after the time-out."""
        service = start(UNREADY_APP, start_timeout=0.5)
        began = time.monotonic()

        with pytest.raises(UsageError, match="storefront did not start"):
            service.wait_until_ready(StopSignal())
        assert 3 > time.monotonic() - began


class TestExamplesFolder:
    def test_in_checkout_examples_are_beside_package(self) -> None:
        """In a checkout, the examples are beside the package."""
        assert {"storefront.py", "payments.py"} <= {p.name for p in examples_folder().iterdir()}

    def test_in_installed_package_examples_are_inside_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In an installed package, the examples are inside it."""
        inside = tmp_path / "otel_meta" / "_examples"
        inside.mkdir(parents=True)
        (inside / "storefront.py").touch()
        monkeypatch.setattr(services, "__file__", str(tmp_path / "otel_meta/cli/demo/services.py"))

        assert inside == examples_folder()

    def test_missing_examples_are_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Missing examples are an error."""
        monkeypatch.setattr(services, "__file__", str(tmp_path / "otel_meta/cli/demo/services.py"))

        with pytest.raises(UsageError, match="the examples are not installed; run the demo from a"):
            examples_folder()

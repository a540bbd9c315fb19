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
from otel_meta.testing.ports import free_port

if TYPE_CHECKING:
    from tests.cli.demo.conftest import Eventually, Mark

WELL = """\
import json, os, sys
print("hello", flush=True)
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    print(json.dumps({"event": scope["path"]}), flush=True)
    asked = {"path": scope["path"], "given": os.environ.get("GIVEN"), "method": scope["method"]}
    body = json.dumps({**asked, "body": (await receive())["body"].decode()}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""
UNREADY = WELL.replace("200", "503")
STUBBORN = f"""\
{WELL}
import signal
answering = app
async def app(scope, receive, send):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    await answering(scope, receive, send)
"""
DISCONNECTED = """\
async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})
"""

Start = Callable[..., Service]


@pytest.fixture
def start(tmp_path: Path, mark: Mark) -> Iterator[Start]:
    """Starts a service from the text of its module."""
    started: list[Service] = []

    def begin(text: str, name: str = "storefront", port: int = 0, **given: str) -> Service:
        (tmp_path / f"{name}.py").write_text(text)
        environment = mark.environment | given
        started.append(Service(name, port or free_port(0), tmp_path, environment))
        return started[-1]

    yield begin
    for service in started:
        service.stop()
        assert service._process.stdout is not None
        service._process.stdout.close()


class TestService:
    def test_well(self, start: Start) -> None:
        """A service that is ready answers where it says it is, in the environment given to it."""
        service = start(WELL, GIVEN="something")
        service.wait_until_ready(StopSignal())
        asked = {"path": "/slo", "given": "something"}

        assert {**asked, "method": "GET", "body": ""} == service.get("/slo")
        assert {**asked, "method": "PUT", "body": '{"a": 1}'} == service.put("/slo", {"a": 1})

    def test_lines(self, start: Start, eventually: Eventually) -> None:
        """What it has logged is kept, oldest first, without the ends of lines."""
        service = start(WELL)
        service.wait_until_ready(StopSignal())
        service.get("/a")

        assert eventually(lambda: '{"event": "/a"}' in service.lines())
        assert "hello" == service.lines()[0]

    def test_stop(self, start: Start, mark: Mark) -> None:
        """Nothing of it is left once it is stopped, which may be said twice."""
        service = start(WELL)
        service.wait_until_ready(StopSignal())
        alive = mark.processes("storefront:app")
        service.stop()
        service.stop()

        assert 1 == len(alive)
        assert [] == mark.processes()

    def test_context(self, start: Start, mark: Mark) -> None:
        """It ends with its context, whatever happened in there."""
        service = start(WELL)
        alive = mark.processes()
        with pytest.raises(ZeroDivisionError), service:
            raise ZeroDivisionError

        assert 1 == len(alive)
        assert [] == mark.processes()

    def test_hung_up(self, start: Start) -> None:
        """Once it is stopped, what it wrote into is closed."""
        service = start(WELL)
        service.stop()

        assert service._process.stdout is not None
        assert service._process.stdout.closed

    def test_stubborn(self, start: Start, mark: Mark, monkeypatch: pytest.MonkeyPatch) -> None:
        """One that does not end when asked is ended."""
        monkeypatch.setattr(services, "_STOP_TIMEOUT", 0.5)
        service = start(STUBBORN)
        service.wait_until_ready(StopSignal())
        began = time.monotonic()
        service.stop()

        assert 0.5 <= time.monotonic() - began < 3
        assert [] == mark.processes()

    def test_signal(self, start: Start, mark: Mark) -> None:
        """It is in a session of its own, so that Ctrl-C at the terminal does not reach it."""
        service = start(WELL)
        (pid,) = mark.processes()
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        service.stop()

        assert str(pid) == stat[3]

    def test_not_there(self, start: Start) -> None:
        """Asking one that is gone is an error that names it."""
        service = start(WELL)
        service.wait_until_ready(StopSignal())
        service.stop()

        with pytest.raises(UsageError, match=r"^storefront does not answer: "):
            service.get("/slo")
        with pytest.raises(UsageError, match=r"^storefront does not answer: "):
            service.put("/slo", {})

    def test_proxy(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        """A proxy for the internet has nothing to do with loopback."""
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setattr(services, "_START_TIMEOUT", 3.0)
        service = start(WELL)
        service.wait_until_ready(StopSignal())

        assert "/slo" == service.get("/slo")["path"]

    def test_bytes(self, start: Start, eventually: Eventually) -> None:
        """Output that is no UTF-8 does not keep the rest from being read."""
        service = start(f"import sys\nsys.stdout.buffer.write(b'\\xff\\n')\n{WELL}")
        service.wait_until_ready(StopSignal())

        assert eventually(lambda: "hello" in service.lines(), 3)


class TestStart:
    """A service that cannot start."""

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("app = (", "SyntaxError: '(' was never closed"),
            ("raise RuntimeError('no database')", "RuntimeError: no database"),
            ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
            ("", 'Attribute "app" not found in module "storefront"'),
            ("import os\nos._exit(3)", "no output"),
            (
                "import sys\nfor n in range(200_000): print(n)\nsys.exit('the last word')",
                "the last word",
            ),
            (DISCONNECTED, "no database"),
        ],
        ids=["syntax", "raises", "dependency", "no app", "silent", "long", "lifespan"],
    )
    def test_cannot(self, start: Start, mark: Mark, text: str, said: str) -> None:
        """It is named with the last that it said, on one line, and nothing of it is left."""
        service = start(text)

        with pytest.raises(UsageError) as caught:
            service.wait_until_ready(StopSignal())

        assert str(caught.value).startswith("storefront did not start: ")
        assert said in str(caught.value)
        assert 1 == len(str(caught.value).splitlines())
        assert [] == mark.processes()

    def test_port(self, start: Start) -> None:
        """Somebody else's answers on its port are not taken for its own."""
        other = start(WELL, "other")
        other.wait_until_ready(StopSignal())
        service = start(WELL, port=int(other.url.rpartition(":")[2]))

        with pytest.raises(UsageError, match="address already in use"):
            service.wait_until_ready(StopSignal())

    def test_stop(self, start: Start) -> None:
        """It is not waited for once it is time to end."""
        stop = StopSignal()
        stop.set()
        service = start(UNREADY)
        began = time.monotonic()
        service.wait_until_ready(stop)

        assert 1 > time.monotonic() - began

    def test_never_ready(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        """One that is never ready is not waited for without end."""
        monkeypatch.setattr(services, "_START_TIMEOUT", 1.0)
        service = start(UNREADY)
        began = time.monotonic()

        with pytest.raises(UsageError, match="storefront did not start"):
            service.wait_until_ready(StopSignal())
        assert 3 > time.monotonic() - began


class TestExamplesFolder:
    def test_checkout(self) -> None:
        """In a checkout, the examples are beside the package."""
        assert {"storefront.py", "payments.py"} <= {p.name for p in examples_folder().iterdir()}

    def test_installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the package is installed, they are inside it."""
        inside = tmp_path / "otel_meta" / "_examples"
        inside.mkdir(parents=True)
        (inside / "storefront.py").touch()
        monkeypatch.setattr(services, "__file__", str(tmp_path / "otel_meta/cli/demo/services.py"))

        assert inside == examples_folder()

    def test_nowhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where they are not, that is said."""
        monkeypatch.setattr(services, "__file__", str(tmp_path / "otel_meta/cli/demo/services.py"))

        with pytest.raises(UsageError, match="the examples are not installed; run the demo from a"):
            examples_folder()

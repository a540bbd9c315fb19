"""A headless Chromium, driven by the DevTools protocol."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect

from tests.waiting import poll, wait_until

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-port=0",
)
_MAX_MESSAGE = 2**28
_MODIFIERS = {"Shift": 8}


def find_chromium() -> str | None:
    """Return the program of Chromium on PATH."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Chromium:
    """A browser while its context is open."""

    def __init__(self, program: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={self._folder.name}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._numbers = count(1)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        address = Path(self._folder.name) / "DevToolsActivePort"
        wait_until(lambda: address.exists() and address.read_text().count("\n"), "no Chromium")
        port, path = address.read_text().split("\n")
        self._connection: ClientConnection = self._stack.enter_context(
            connect(f"ws://127.0.0.1:{port}{path}", max_size=_MAX_MESSAGE)
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.send("Browser.close")
        self._stack.close()
        self._process.wait(30)
        self._folder.cleanup()

    def open_tab(self) -> Tab:
        """Return a new tab."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        answer = self.send("Target.attachToTarget", targetId=target, flatten=True)
        return Tab(self, target, answer["sessionId"])

    def send(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        """Send a command, and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        self._connection.send(json.dumps(message))
        while (answer := json.loads(self._connection.recv(60))).get("id") != number:
            pass
        assert "error" not in answer, answer
        return answer["result"]


class Tab:
    """A tab of the browser."""

    def __init__(self, browser: Chromium, target: str, session: str) -> None:
        self._browser = browser
        self._target = target
        self._session = session

    def close(self) -> None:
        """Close the tab."""
        self._browser.send("Target.closeTarget", targetId=self._target)

    def send(self, method: str, **parameters: Any) -> Any:
        """Send a command, and return its result."""
        return self._browser.send(method, self._session, **parameters)

    def look(self, *, width: int = 1200, height: int = 900, **features: str) -> None:
        """Set the size of the window and media features, such as prefers_color_scheme="dark"."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        media = features.pop("media", "")
        named = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items()]
        self.send("Emulation.setEmulatedMedia", media=media, features=named)

    def disable_script(self) -> None:
        """Run no script of the pages that are opened from now on."""
        self.send("Emulation.setScriptExecutionDisabled", value=True)

    def open(self, url: str) -> None:
        """Open an address, and wait for the page."""
        self.send("Page.navigate", url=url)
        assert poll(lambda: self.evaluate("document.readyState === 'complete'"))

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript; a promise is awaited."""
        answer = self.send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str, *modifiers: str, code: int = 0, text: str = "") -> None:
        """Press a key."""
        pressed = sum(_MODIFIERS[name] for name in modifiers)
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                modifiers=pressed,
                text=text if kind == "keyDown" else "",
            )

    def type(self, text: str) -> None:
        """Type a text into the element with the focus."""
        self.send("Input.insertText", text=text)

    def screenshot(self) -> bytes:
        """Return an image of the window in PNG."""
        answer = self.send("Page.captureScreenshot", format="png")
        return base64.b64decode(answer["data"])

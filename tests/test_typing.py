"""What type checkers and editors make of the package: run for real, on files that never run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

ROOT = Path(__file__).parent.parent
TYPING = ROOT / "tests" / "typing"
CHECKERS = {
    "mypy": ["mypy", "--no-error-summary", "--hide-error-context"],
    "pyright": ["pyright", "--pythonpath", sys.executable],
}
ERROR = re.compile(r"recording\.py:(\d+):.* error: ")
IGNORE = re.compile(r"  # type: ignore\b.*")


def check(checker: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run a type checker with the settings of the project."""
    return subprocess.run(
        [sys.executable, "-m", *CHECKERS[checker], str(path)],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("checker", CHECKERS)
class TestCheckers:
    def test_passes(self, checker: str) -> None:
        """What may be written passes, and every line that must fail does."""
        run = check(checker, TYPING)

        assert 0 == run.returncode, run.stdout + run.stderr

    def test_fails(self, checker: str, tmp_path: Path) -> None:
        """With nothing ignored, every line that must fail is told of, and no other."""
        lines = (TYPING / "recording.py").read_text().splitlines()
        wrong = [number for number, line in enumerate(lines, 1) if IGNORE.search(line)]
        bare = tmp_path / "recording.py"
        bare.write_text("".join(IGNORE.sub("", line) + "\n" for line in lines))

        run = check(checker, bare)

        assert 1 == run.returncode
        assert wrong == sorted({int(number) for number in ERROR.findall(run.stdout)})

    def test_unused(self, checker: str, tmp_path: Path) -> None:
        """A line that must fail and starts to pass is an error."""
        passing = tmp_path / "recording.py"
        text = (TYPING / "recording.py").read_text()
        passing.write_text(text.replace('methd="GET"', 'method="GET"'))

        run = check(checker, passing)

        assert 1 == len(ERROR.findall(run.stdout)), run.stdout


class Editor:
    """An editor with one open file, which speaks to pyright's language server."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], path: Path) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._uri = path.as_uri()
        self._id = 0
        folder = path.parent.as_uri()
        self._ask(
            "initialize",
            processId=None,
            rootUri=folder,
            workspaceFolders=[{"uri": folder, "name": "editor"}],
            capabilities={},
        )
        self._say("initialized")
        document = {"uri": self._uri, "languageId": "python", "version": 1}
        self._say("textDocument/didOpen", textDocument={**document, "text": path.read_text()})

    def complete(self, line: int, column: int) -> set[str]:
        """What the editor offers at a place in the file, counted from 0."""
        result = self._ask(
            "textDocument/completion",
            textDocument={"uri": self._uri},
            position={"line": line, "character": column},
        )
        return {item["label"] for item in result["items"]}

    def _ask(self, method: str, **params: object) -> Any:
        self._id += 1
        self._send({"id": self._id, "method": method, "params": params})
        for message in self._messages():
            if message.get("id") == self._id and "method" not in message:
                return message["result"]
            if "id" in message:  # the server asks back: for its settings, of which there are none
                items = message["params"].get("items", [])
                self._send({"id": message["id"], "result": [None] * len(items)})
        raise EOFError(method)

    def _say(self, method: str, **params: object) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._stdin.flush()

    def _messages(self) -> Iterator[dict[str, Any]]:
        while header := self._stdout.readline():
            self._stdout.readline()
            yield json.loads(self._stdout.read(int(header.split(b":")[1])))


USE = """\
from recording import Atlas


def use(atlas: Atlas) -> None:
    atlas.requests.add(1, )
    atlas.requests.add(1, method=)
    atlas.requests.add(1, method="")
    atlas.
"""


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[Editor]:
    """An editor in which somebody is about to record."""
    (tmp_path / "recording.py").write_text((TYPING / "recording.py").read_text())
    (tmp_path / "use.py").write_text(USE)
    settings = {"extraPaths": [str(ROOT)]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright.langserver", "--stdio"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield Editor(server.stdin, server.stdout, tmp_path / "use.py")
        finally:
            server.terminate()


class TestEditor:
    def test_labels(self, editor: Editor) -> None:
        """Behind the amount, every label is offered by name."""
        assert {"endpoint=", "method=", "tenant="} <= editor.complete(4, 26)

    def test_values(self, editor: Editor) -> None:
        """Behind a closed label, its values are offered, quoted until there are quotes."""
        assert {'"GET"', '"POST"'} <= editor.complete(5, 33)
        assert {"GET", "POST"} <= {label.strip('"') for label in editor.complete(6, 34)}

    def test_instruments(self, editor: Editor) -> None:
        """The instruments of a meta-repository are offered."""
        assert {"requests", "latency", "depth", "speed"} <= editor.complete(7, 10)

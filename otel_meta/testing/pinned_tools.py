"""Pinned versions of the servers and tools for tests and the demo, and the search for programs.

``tools/build.py`` reads this table and builds missing tools.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from otel_meta.errors import UsageError

RECIPE: Final = ".recipe"
"""File in the folder of each finished build: a digest of the sources."""
_VERSION: Final = re.compile(r"(?<![\d.])\d+\.\d+(\.\d+)?(?![\d.])")
_TIMEOUT: Final = 30
"""Seconds for a program to report the version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One project and the programs of a build."""

    name: str
    """Also the name of the folder under ``tools/``."""
    version: str
    """The oldest release in use. Our own build is exactly this release."""
    binaries: tuple[str, ...]
    """The programs; the tool's name stands for the first."""
    version_argument: str = "--version"
    components: tuple[str, ...] = ()
    """Parts of a Collector; a Collector without all these parts is not used."""


TOOLS: Final = (
    Tool(name="prometheus", version="3.16.0", binaries=("prometheus", "promtool")),
    Tool(
        name="collector",
        version="0.159.0",
        binaries=("otelcol",),
        components=(
            "span_metrics",
            "load_balancing",
            "tail_sampling",
            "transform",
            "delta_to_cumulative",
            "file_storage",
        ),
    ),
    Tool(name="alertmanager", version="0.31.1", binaries=("alertmanager", "amtool")),
    Tool(name="jaeger", version="2.13.0", binaries=("jaeger",)),
    Tool(name="victoriametrics", version="1.150.0", binaries=("victoria-metrics", "vmalert")),
    Tool(name="thanos", version="0.42.0", binaries=("thanos",)),
    Tool(name="pint", version="0.87.0", binaries=("pint",), version_argument="version"),
    Tool(name="rule_engine", version="3.16.0", binaries=("rule-engine",)),
    Tool(name="sloth", version="0.16.0", binaries=("sloth",), version_argument="version"),
    Tool(name="pyrra", version="0.10.1", binaries=("pyrra-rules",)),
    Tool(name="kubernetes", version="0.37.2", binaries=("manifest-check",)),
    Tool(name="helm", version="3.22.0", binaries=("helm",), version_argument="version"),
)


class ToolError(UsageError):
    """A missing tool or a failed build, and the fix, in one line."""


class UnknownTool(ToolError):
    """No tool and no program has the name."""


def lookup(name: str) -> tuple[Tool, str]:
    """Return the tool and the program for the name of either.

    Raises:
        UnknownTool: the name is in neither list.
    """
    known = {binary: (tool, binary) for tool in TOOLS for binary in tool.binaries}
    known |= {tool.name: (tool, tool.binaries[0]) for tool in TOOLS}
    if name not in known:
        near = get_close_matches(name, known, n=1, cutoff=0)
        raise UnknownTool(f"no tool is called {name!r}: did you mean {near[0]!r}?")
    return known[name]


def find(name: str) -> Path:
    """Return the path of an installed program.

    A pinned program is searched in the folders of OTEL_META_TOOLS, then in the cache of
    ``tools/build.py``, then on PATH, and must be at least as new as the pin. A program without a
    pin is searched in OTEL_META_TOOLS and on PATH, at any version.

    Raises:
        ToolError: the program is missing.
    """
    try:
        tool, binary = lookup(name)
    except UnknownTool:
        return _find_unpinned(name)
    if path := locate(tool, binary):
        return path
    raise not_found(tool, binary)


def not_found(tool: Tool, binary: str) -> ToolError:
    """Return the error for a missing program, with the fix."""
    return ToolError(
        f"{binary} {tool.version} is not installed: run `make tools` in a checkout of otel_meta "
        f"(or `python3 tools/build.py {tool.name}`), or name its folder in OTEL_META_TOOLS"
    )


def is_built(tool: Tool) -> bool:
    """Return True if the cache has a finished build of the pinned version."""
    return all((build_folder(tool) / name).is_file() for name in (RECIPE, *tool.binaries))


def locate(tool: Tool, binary: str, is_built: Callable[[Tool], bool] = is_built) -> Path | None:
    """Return the path of a pinned program, or None.

    Args:
        tool: the tool.
        binary: a program of the tool.
        is_built: decides whether the build in the cache may be used.
    """
    if path := _first_usable(tool, binary, "OTEL_META_TOOLS"):
        return path
    if is_built(tool):
        return build_folder(tool) / binary
    return _first_usable(tool, binary, "PATH")


def cache_folder() -> Path:
    """Return the parent of all builds, outside the checkout for use by any clone."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "otel-meta" / "tools"


def build_folder(tool: Tool) -> Path:
    """Return the folder of our own build, named after the pinned version."""
    return cache_folder() / f"{tool.name}-{tool.version}"


def copies(binary: str, variable: str) -> Iterator[Path]:
    """Yield every copy of a program in the folders of an environment variable like PATH."""
    for folder in filter(None, os.environ.get(variable, "").split(os.pathsep)):
        if path := shutil.which(binary, path=folder):
            yield Path(path).absolute()


def mismatch(tool: Tool, path: Path) -> str:
    """Return the reason why a program cannot replace our own build, or ""."""
    version = parse_version(output_of(path, tool.version_argument))
    if not version:
        return "it reports no version"
    if version_key(version) < version_key(tool.version):
        return f"{version} is older than {tool.version}"
    listed = output_of(path, "components") if tool.components else ""
    lacking = [part for part in tool.components if f"name: {part}\n" not in listed]
    return f"it lacks {', '.join(lacking)}" if lacking else ""


def parse_version(text: str) -> str:
    """Return the version on the first line of a report; later lines name the version of Go."""
    first = text.strip().partition("\n")[0]
    found = _VERSION.search(first)
    return found[0] if found else ""


def version_key(version: str) -> tuple[int, ...]:
    """Return the sort key of a version: 3.9 comes before 3.16."""
    return tuple(int(part) for part in version.split("."))


def output_of(path: Path, *arguments: str) -> str:
    """Return both streams of a finished program: VictoriaMetrics reports its version on stderr."""
    command: list[str | Path] = [path, *arguments]
    try:  # the time limit is for a server that ignores its arguments and starts to serve
        done = subprocess.run(  # noqa: S603  # a program under a name from the table
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    both = b"\n".join((done.stdout, done.stderr))  # Sloth ends its version without a newline
    return both.decode(errors="replace")


def _first_usable(tool: Tool, binary: str, variable: str) -> Path | None:
    return next((path for path in copies(binary, variable) if not mismatch(tool, path)), None)


def _find_unpinned(name: str) -> Path:
    for variable in ("OTEL_META_TOOLS", "PATH"):
        for path in copies(name, variable):
            return path
    raise ToolError(
        f"{name} is not installed: put it on PATH, or name its folder in OTEL_META_TOOLS"
    )

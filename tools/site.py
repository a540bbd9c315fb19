"""Lay out the source of the documentation site, and build the site with Zensical.

Documents link to configuration files, to examples and to each other by relative paths. The source
of the site therefore has the folders of the repository, with all Markdown files and every file that
a Markdown file links to. A broken link ends the build with an error.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "build" / "site-source"
"""The folder that `docs_dir` in mkdocs.yml names."""

_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def pages() -> list[Path]:
    """Return the Markdown files of the repository, relative to its root."""
    # Untracked files count as well, so that a new page can be looked at before it is committed.
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return sorted(Path(name) for name in listed.splitlines() if (ROOT / name).is_file())


def link_targets(page: Path) -> Iterator[Path]:
    """Yield the files that a page links to, relative to the root of the repository."""
    for link in _LINK.findall((ROOT / page).read_text()):
        target = (ROOT / page.parent / link).resolve()
        if target.is_file():
            yield target.relative_to(ROOT)


def lay_out(source: Path) -> None:
    """Copy all pages and their link targets into an empty folder."""
    shutil.rmtree(source, ignore_errors=True)
    found = pages()
    for path in {*found, *(target for page in found for target in link_targets(page))}:
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, source / path)


if __name__ == "__main__":
    lay_out(SOURCE)
    zensical = Path(sys.executable).with_name("zensical")
    sys.exit(
        subprocess.run([zensical, "build", "--strict", "--clean"], cwd=ROOT, check=False).returncode
    )

"""Images of the page for people to look at.

``python -m tests.status.page.screenshots`` writes the image of the documents, and with a folder as
argument the images of every page: light, dark, and as wide as a phone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from otel_meta.status.page.page_context import PageContext
from otel_meta.status.page.status_server import StatusServer
from otel_meta.status.status_json import StatusJson
from tests.status.page.chromium import Chromium, Tab, find_chromium
from tests.status.page.sample_pages import DOCUMENTED, NOW, PAGES

IMAGE = Path(__file__).parents[3] / "docs" / "images" / "slo-page.png"
HIGHEST = 2400
"""Pixels of an image."""
LOOKS: dict[str, tuple[int, str]] = {
    "light": (1200, "light"),
    "dark": (1200, "dark"),
    "phone": (390, "light"),
}
"""Width and colour scheme."""


def write_image(tab: Tab, url: str, path: Path, width: int, scheme: str) -> None:
    """Write the image of a page, from its top."""
    tab.look(width=width, prefers_color_scheme=scheme)
    tab.open(url)
    height = tab.evaluate("document.body.scrollHeight")
    tab.look(width=width, height=min(height, HIGHEST), prefers_color_scheme=scheme)
    path.write_bytes(tab.screenshot())


def server_of(rows: Sequence[StatusJson], surroundings: PageContext) -> StatusServer:
    """Return a server of the same statuses at all times."""
    return StatusServer(lambda: rows, surroundings, clock=lambda: NOW)


def jobs(folder: Path | None) -> Iterator[tuple[StatusServer, Path, int, str]]:
    """Yield the server, the file and the look of each image."""
    if folder is None:
        yield server_of(DOCUMENTED, PAGES["states"][1]), IMAGE, 1100, "light"
        return
    folder.mkdir(exist_ok=True)
    for name, (rows, surroundings) in PAGES.items():
        for look, (width, scheme) in LOOKS.items():
            yield server_of(rows, surroundings), folder / f"{name}-{look}.png", width, scheme


def main(folder: Path | None) -> None:
    """Write the images."""
    program = find_chromium()
    assert program is not None, "install Chromium"
    with Chromium(program) as browser:
        for server, path, width, scheme in jobs(folder):
            tab = browser.open_tab()
            with server:
                write_image(tab, server.url, path, width, scheme)
            tab.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else None)

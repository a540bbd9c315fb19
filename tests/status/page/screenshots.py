"""Images of the page for people to look at.

``python -m tests.status.page.screenshots`` writes the image of the documents, and with a folder as
argument the images of every page: light, dark, and as wide as a phone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.status.page.chromium import Chromium, find_chromium
from tests.status.page.sample_pages import PAGES
from tests.status.page.served_pages import served_page

IMAGE = Path(__file__).parents[3] / "docs" / "images" / "slo-page.png"
HIGHEST = 2400
"""Pixels of an image."""
LOOKS: dict[str, tuple[int, str]] = {
    "light": (1200, "light"),
    "dark": (1200, "dark"),
    "phone": (390, "light"),
}
"""Width and colour scheme."""


def write_image(browser: Chromium, name: str, path: Path, look: tuple[int, str]) -> None:
    """Write the image of a page, from its top."""
    width, scheme = look
    tab = browser.open_tab()
    tab.look(width=width, prefers_color_scheme=scheme)
    with served_page(name) as url:
        tab.open(url)
        height = tab.evaluate("document.body.scrollHeight")
        tab.look(width=width, height=min(height, HIGHEST), prefers_color_scheme=scheme)
        path.write_bytes(tab.screenshot())
    tab.close()


def images(folder: Path | None) -> Iterator[tuple[str, Path, tuple[int, str]]]:
    """Yield the page, the file and the look of each image."""
    if folder is None:
        yield "documented", IMAGE, LOOKS["light"]
        return
    folder.mkdir(exist_ok=True)
    for name in PAGES:
        yield from ((name, folder / f"{name}-{look}.png", LOOKS[look]) for look in LOOKS)


def main(folder: Path | None) -> None:
    """Write the images."""
    program = find_chromium()
    assert program is not None, "install Chromium"
    with Chromium(program) as browser:
        for name, path, look in images(folder):
            write_image(browser, name, path, look)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else None)

"""Checks that the committed images show the dashboards, and that titles fit their panels."""

from __future__ import annotations

import sys
from html import unescape
from typing import Any

import pytest

from otel_meta.render.dashboards.grafana.titles import fits
from tests.render.dashboards.rendered_dashboards import ROOT, pages, panels, rows

sys.path.append(str(ROOT / "tools" / "dashboard_images"))

from axes import axis_of  # a tool, outside the packages

IMAGES = ROOT / "docs" / "images" / "dashboards"
MOST_BYTES = 300_000
DRAW = "run `make dashboard-images`, and look at the images"


@pytest.mark.parametrize("file", pages())
class TestImages:
    def test_image_shows_every_panel_and_row(self, file: str) -> None:
        """The committed image of a dashboard shows the title of every panel and row."""
        image = unescape((IMAGES / file).with_suffix(".svg").read_text())
        page = pages()[file]
        titles = {item["title"] for item in (*rows(page), *panels(page))}

        assert set() == {title for title in titles if title not in image}, DRAW

    def test_image_is_small_enough_for_page(self, file: str) -> None:
        """An image has at most 300 kB."""
        assert (IMAGES / file).with_suffix(".svg").stat().st_size <= MOST_BYTES

    def test_titles_fit_their_panels(self, file: str) -> None:
        """Every title fits the width of its panel in a narrow window."""
        wide = [
            p["title"] for p in panels(pages()[file]) if not fits(p["title"], p["gridPos"]["w"])
        ]

        assert [] == wide

    def test_page_of_documents_shows_image(self, file: str) -> None:
        """The page about dashboards shows or links the image."""
        text = (ROOT / "docs" / "dashboards.md").read_text()

        assert f"images/dashboards/{file.removesuffix('.json')}.svg" in text


@pytest.mark.parametrize(
    ("title", "width"), [("Number of runs of a scanner by reason and by severity, weekly", 8)]
)
def test_long_title_does_not_fit(title: str, width: int) -> None:
    """A title of 61 characters does not fit eight columns."""
    assert not fits(title, width)
    assert fits(title, 24)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"low": 0, "high": None}, [0.0, 2.5, 5.0, 7.5, 10.0]),
        ({"low": -1, "high": 1}, [-1.0, -0.5, 0.0, 0.5, 1.0]),
    ],
)
def test_axis_has_round_ticks_within_limits(limits: Any, expected: list[float]) -> None:
    """An axis has round ticks from the lower limit to the upper limit."""
    assert expected == axis_of([3.0, 10.0], **limits, symlog=False).ticks()


def test_logarithmic_axis_shows_zero_and_powers_of_ten() -> None:
    """A logarithmic axis shows 0, 1 and the powers of ten at equal distances above 1."""
    axis = axis_of([0.0, 800.0], 0, None, symlog=True)

    assert [0.0, 1.0, 10.0, 100.0] == axis.ticks()
    assert axis.share(100) - axis.share(10) == pytest.approx(axis.share(10) - axis.share(1))

from __future__ import annotations

from rich.text import Text

from otel_meta.cli.console.rendered import rendered


def test_empty_line_between_parts_stays() -> None:
    """An empty line between two parts of a report stays an empty line."""
    assert "answer\n\ntable" == rendered([Text("answer"), Text(), Text("table")])

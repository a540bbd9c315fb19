"""Patterns of excluded paths."""

from __future__ import annotations

from otel_meta.web.engine.exclusions import Exclusions


class TestPatterns:
    def test_path_with_line_break_is_excluded(self) -> None:
        """A path with a line break is excluded like others, so no client can be recorded by it."""
        assert Exclusions(["/internal/.*"]).includes("/internal/a\nb")

    def test_each_pattern_has_groups_of_its_own(self) -> None:
        """Each pattern has groups of its own: names may repeat, and numbers begin with one."""
        exclusions = Exclusions([r"/(?P<a>x)/(?P=a)", r"/(?P<a>y|z)/\1"])

        assert exclusions.includes("/x/x")
        assert exclusions.includes("/z/z")
        assert not exclusions.includes("/z/x")

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from otel_meta.errors import ConfigurationError
from otel_meta.web.engine.exclusions import Exclusions, excluded_by_environment

SEGMENT = st.text(st.characters(exclude_characters="/{}", exclude_categories=["C"]), min_size=1)


class TestExclusions:
    @pytest.mark.parametrize(
        ("pattern", "path", "is_excluded"),
        [
            ("/internal/.*", "/internal/a/b", True),
            ("/internal/.*", "/internal/a\nb", True),
            ("/internal/.*", "/internal", False),
            ("internal", "/internal", True),
            ("/internal", "/internal/a", False),
            ("/internal", "/api/internal", False),
            ("/items/{id}/preview", "/items/7/preview", True),
            ("/items/{id}/preview", "/items/7/8/preview", False),
            ("/items/{id}", "/items/", False),
            ("/items/{id:int}", "/items/7", True),
            ("/files/{rest:path}", "/files/a/b", True),
            ("/a{2}", "/aa", True),
            ("a|b", "/b", True),
            ("a|b", "/bc", False),
            ("(?i)/health", "/HEALTH", True),
        ],
    )
    def test_pattern_matches_whole_paths(self, pattern: str, path: str, is_excluded: bool) -> None:
        """A pattern matches whole paths, with or without the leading slash."""
        assert is_excluded == Exclusions([pattern]).includes(path)

    def test_patterns_do_not_change_each_other(self) -> None:
        """Groups and references of a pattern do not change another pattern."""
        exclusions = Exclusions([r"/(?P<x>a)\1", r"/(?P<x>b)\1"])

        assert [True, True, False] == [exclusions.includes(path) for path in ("/aa", "/bb", "/ab")]

    def test_without_patterns_nothing_is_excluded(self) -> None:
        """Without patterns, no path is excluded."""
        assert not Exclusions([]).includes("/")

    @pytest.mark.parametrize("pattern", ["(", "a)|(b", "*", "a{99999999999}"])
    def test_invalid_pattern_is_named_at_start_up(self, pattern: str) -> None:
        """An invalid pattern is named at the start-up."""
        with pytest.raises(ConfigurationError, match=re.escape(f"exclude={pattern!r}")):
            Exclusions([pattern])

    @given(st.lists(SEGMENT, min_size=1))
    def test_escaped_path_excludes_itself(self, segments: list[str]) -> None:
        """The escaped text of a path excludes this path."""
        path = "/" + "/".join(segments)

        assert Exclusions([re.escape(path)]).includes(path)

    @given(SEGMENT, SEGMENT)
    def test_parameter_stands_for_one_segment(self, value: str, other: str) -> None:
        """A parameter of a template stands for one segment."""
        assume(not {"\n", "\r"} & {*value})
        exclusions = Exclusions(["/items/{id}"])

        assert exclusions.includes(f"/items/{value}")
        assert not exclusions.includes(f"/items/{value}/{other}")


class TestEnvironment:
    def test_first_variable_that_is_set_counts(self) -> None:
        """The first variable that is set counts, as in OpenTelemetry's instrumentation."""
        both = {"OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "a, b,", "OTEL_PYTHON_EXCLUDED_URLS": "c"}

        assert ["a", "b"] == excluded_by_environment(both)
        assert ["c"] == excluded_by_environment({**both, "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": ""})
        assert [] == excluded_by_environment({})

"""Corrections: what is refused, and the spans without overlap that follow from them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.errors import DeclarationError
from otel_meta.model.slo.corrected_span import CorrectedSpan, corrected_spans
from otel_meta.model.slo.correction import Correction

SHOP, BANK = {"service_name": "shop"}, {"service_name": "bank"}
SERVICES: tuple[dict[str, str], ...] = ({}, SHOP, BANK, {"cluster": "a"}, {**SHOP, "cluster": "a"})
HOURS = 6


def at(hour: float) -> datetime:
    """Return a time of a day."""
    return datetime(2026, 11, 20, tzinfo=UTC) + timedelta(hours=hour)


def correction(begin: float, end: float, /, **more: Any) -> Correction:
    """Return a correction between two hours."""
    return Correction(**{"begin": at(begin), "end": at(end), "reason": "Maintenance.", **more})


class TestRefusals:
    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"begin": datetime(2026, 11, 20, 1)}, "without a zone"),  # noqa: DTZ001 - the case
            ({"begin": date(2026, 11, 20)}, "has the begin"),
            ({"end": at(1)}, "does not end after it begins"),
            ({"reason": ""}, "has an empty reason"),
            ({"kind": "holiday"}, "has the kind 'holiday'"),
        ],
        ids=["no zone", "no time", "no end", "no reason", "no kind"],
    )
    def test_wrong_field_is_refused(self, fields: dict[str, Any], problem: str) -> None:
        """A correction without a zone, a reason, a known kind or a later end is refused."""
        with pytest.raises(DeclarationError, match=problem):
            correction(1, 2, **fields)


class TestSpans:
    def test_overlap_is_one_span(self) -> None:
        """Corrections that overlap are one span, in any order and in any zone."""
        east = at(1).astimezone(timezone(timedelta(hours=9)))
        rows = [correction(2, 4), correction(1, 3, begin=east)]

        assert (CorrectedSpan(at(1), at(4), ({},)),) == corrected_spans(rows, "x")

    def test_span_has_service_of_each_correction(self) -> None:
        """Where corrections of two services overlap, the span has both."""
        rows = [correction(1, 3, service=SHOP), correction(2, 4, service=BANK)]

        assert [(SHOP,), (BANK, SHOP), (BANK,)] == [
            span.services for span in corrected_spans(rows, "x")
        ]

    def test_correction_of_all_services_includes_that_of_one(self) -> None:
        """A correction of one service within one of all services changes nothing."""
        rows = [correction(1, 4), correction(2, 3, service=SHOP)]

        assert (CorrectedSpan(at(1), at(4), ({},)),) == corrected_spans(rows, "x")

    def test_correction_of_other_slo_has_no_span(self) -> None:
        """A correction of another SLO has no span."""
        assert () == corrected_spans([correction(1, 2, slos=("other",))], "x")

    @given(
        st.lists(
            st.builds(
                lambda begin, length, service: correction(begin, begin + length, service=service),
                st.integers(0, HOURS),
                st.integers(1, HOURS),
                st.sampled_from(SERVICES),
            )
        ),
        st.sampled_from([SHOP, BANK, {**SHOP, "cluster": "a"}, {**BANK, "cluster": "a"}]),
    )
    def test_moment_is_in_one_span_if_a_correction_applies(
        self, rows: list[Correction], service: dict[str, str]
    ) -> None:
        """A moment is in exactly one span of a service if any correction applies, else in none."""
        spans = corrected_spans(rows, "x")
        for hour in range(2 * HOURS):
            moment = at(hour + 0.5)
            inside = [each for each in spans if each.begin <= moment < each.end]
            applies = any(
                each.begin <= moment < each.end and each.applies_to("x", service) for each in rows
            )
            found = [
                each
                for each in inside
                if any(labels.items() <= service.items() for labels in each.services)
            ]

            assert len(inside) <= 1
            assert applies is bool(found)

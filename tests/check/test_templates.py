"""Labels that the texts of alerts show."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otel_meta.check.finding import Diagnostic

Diagnose = Callable[..., list[Diagnostic]]
EXPR = "sum by (route) (rate(atlas_requests_total[5m])) > 1"


@pytest.mark.parametrize(
    "text",
    [
        "{{ $labels.route }} is slow",
        "{{ .Labels.route }}",
        "{{ $value }}",
        "labels.method",
        "$labels",
    ],
)
def test_template_may_show_labels_of_expression(text: str, diagnose: Diagnose) -> None:
    """A template may show labels of the expression."""
    assert [] == diagnose(EXPR, texts={"summary": text})


@pytest.mark.parametrize("text", ["{{ $labels.rout }}", "{{.Labels.rout}} and {{$value}}"])
def test_missing_label_in_template_is_reported(text: str, diagnose: Diagnose) -> None:
    """A missing label in a template is reported."""
    (diagnostic,) = diagnose(EXPR, texts={"summary": text})

    assert ("template", "route") == (diagnostic.kind, diagnostic.suggestion)


def test_template_about_scalar_has_no_labels(diagnose: Diagnose) -> None:
    """A template about a scalar has no labels."""
    assert ["template"] == [p.kind for p in diagnose("vector(1)", texts={"a": "{{$labels.job}}"})]


class TestFields:
    @pytest.mark.parametrize("text", ["{{ .Value }}", "{{ $labels.route }}{{ .ExternalURL }}"])
    def test_fields_of_alert_are_accepted(self, text: str, diagnose: Diagnose) -> None:
        """The fields of an alert are accepted."""
        assert [] == diagnose(EXPR, texts={"summary": text})

    @pytest.mark.parametrize("text", ["{{ .Label.route }}", "{{ (.Values) }}", "{{ 1 | .Valu }}"])
    def test_unknown_field_is_reported(self, text: str, diagnose: Diagnose) -> None:
        """An unknown field is reported with a suggestion."""
        (diagnostic,) = diagnose(EXPR, texts={"summary": text})

        assert "template" == diagnostic.kind
        assert diagnostic.suggestion in {"Labels", "Value"}

    def test_dot_of_range_is_not_the_alert(self, diagnose: Diagnose) -> None:
        """Inside a range over a query, the dot is a sample of the query."""
        text = '{{ range query "up" }}{{ .Labels.anything }}{{ .Any }}{{ end }}'

        assert [] == diagnose(EXPR, texts={"summary": text})


class TestQueries:
    @pytest.mark.parametrize(
        "text",
        [
            '{{ query "atlas_tile" }}',
            '{{ with query `atlas_tile{layer="roads"}` }}{{ end }}',
            '{{ "atlas_tile" | query | first | value }}',
            "{{ range query (printf \"atlas_tile{layer='%s'}\" $labels.route) }}{{ end }}",
            '{{ printf "atlas_tile > %f" $value | query }}',
            '{{ query (printf "atlas_tile%[1]s" $labels.route) }}',
            '{{ query (printf `atlas_tile{a!="b",%[1]s,%[2]s!=%[3]q}` "" "a" "b") }}',
        ],
    )
    def test_query_is_checked_like_an_expression(self, text: str, diagnose: Diagnose) -> None:
        """A query in a text is checked like an expression."""
        (diagnostic,) = diagnose(EXPR, texts={"summary": text})

        assert ("metric", "atlas_tiles") == (diagnostic.kind, diagnostic.suggestion)

    @pytest.mark.parametrize(
        "text",
        [
            "{{ query \"atlas_tiles{layer='roads'}\" }}",
            '{{ query (printf "atlas_tiles{layer=%q} > %v" $labels.route $value) }}',
            '{{ query (printf "sum(%s)" "any") }}',
            "{{ query $labels.route }}",
            "{{ query }}",
        ],
    )
    def test_values_that_are_filled_in_later_are_accepted(
        self, text: str, diagnose: Diagnose
    ) -> None:
        """Values that the template fills in later are accepted."""
        assert [] == diagnose(EXPR, texts={"summary": text})

    def test_wrong_promql_in_query_is_reported(self, diagnose: Diagnose) -> None:
        """A query that is not PromQL is reported."""
        (diagnostic,) = diagnose(EXPR, texts={"summary": '{{ query "sum(" }}'})

        assert "expression" == diagnostic.kind


@pytest.mark.parametrize("text", ["{{ oops.", "{{ $value | humanise }}", "{{ $lables.route }}"])
def test_text_that_prometheus_cannot_parse_is_reported(text: str, diagnose: Diagnose) -> None:
    """A text that Prometheus cannot parse is reported once."""
    assert ["template"] == [d.kind for d in diagnose(EXPR, texts={"summary": text})]

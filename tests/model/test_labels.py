from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

import pytest

from otel_meta import NoLabels, labels
from otel_meta.errors import DeclarationError
from otel_meta.model.labels import (
    SCRAPE_LABELS,
    closed_combinations,
    expand_closed,
    labels_of,
)
from otel_meta.semconv import Attribute


@labels
class Request:
    route: str
    method: Literal["GET", "POST"]
    scheme: Literal["http", "https"] = "https"
    tenant: str = ""


def declare(**hints: object) -> type:
    """Make labels of given types."""
    return labels(type("Bad", (), {"__annotations__": hints}))


class TestDeclared:
    def test_labels_keep_their_declared_order(self) -> None:
        """Labels keep their declared order."""
        assert ["route", "method", "scheme", "tenant"] == [f.name for f in labels_of(Request)]

    def test_str_is_open_label_and_literal_is_closed_label(self) -> None:
        """A str is an open label, and a Literal is a closed label."""
        values = [label.values for label in labels_of(Request)]

        assert [None, ("GET", "POST"), ("http", "https"), None] == values

    def test_label_has_its_declared_default_or_none(self) -> None:
        """A label has its declared default, or none."""
        assert [None, None, "https", ""] == [label.default for label in labels_of(Request)]

    def test_attribute_key_of_label_is_name_of_label(self) -> None:
        """The attribute key of a label is the name of the label."""
        assert ["route", "method"] == [f.attribute.key for f in labels_of(Request)][:2]

    def test_instance_of_labels_is_frozen(self) -> None:
        """An instance of labels is frozen."""
        request = Request(route="/", method="GET")

        with pytest.raises(dataclasses.FrozenInstanceError):
            request.route = "/other"  # type: ignore[misc]

    def test_labels_are_keyword_only(self) -> None:
        """Labels are keyword-only."""
        with pytest.raises(TypeError, match="positional"):
            Request("/", "GET")  # type: ignore[call-arg]

    def test_metric_may_have_no_labels(self) -> None:
        """A metric may have no labels."""
        assert () == labels_of(NoLabels)


class TestAttribute:
    def test_label_of_conventions_has_dotted_attribute_key(self) -> None:
        """A label of the conventions has a dotted attribute key."""
        (label,) = labels_of(declare(http_route=Annotated[str, Attribute("http.route")]))

        assert ("http_route", "http.route") == (label.name, label.attribute.key)

    def test_values_of_attribute_close_label(self) -> None:
        """The values of an attribute close a label."""
        (label,) = labels_of(declare(code=Annotated[str, Attribute("code", values=("1", "2"))]))

        assert ("1", "2") == label.values

    def test_key_that_differs_from_name_in_prometheus_is_refused(self) -> None:
        """A key that differs from the name in Prometheus is refused."""
        with pytest.raises(DeclarationError, match=r"Bad\.route.*exported as http\.path.*same"):
            declare(route=Annotated[str, Attribute("http.path")])


class TestRefused:
    @pytest.mark.parametrize("name", ["Route", "_route", "route_", "a__b", "é"])
    def test_name_that_export_path_would_change_is_refused(self, name: str) -> None:
        """A name that an export path would change is refused."""
        with pytest.raises(DeclarationError, match=r"label Bad\..*every export path; use lower"):
            declare(**{name: str})

    @pytest.mark.parametrize(
        ("name", "setter"),
        [
            *((name, "scraping") for name in SCRAPE_LABELS),
            ("otel_scope_name", "scraping"),
            ("exported_job", "scraping"),
            ("le", "buckets and quantiles"),
            ("quantile", "buckets and quantiles"),
            ("service_name", "the identity of a service"),
            ("service_namespace", "the identity of a service"),
            ("deployment_environment_name", "the identity of a service"),
            ("slo", "rules"),
            ("alertname", "rules"),
            ("alertstate", "rules"),
        ],
    )
    def test_name_that_something_else_sets_is_refused(self, name: str, setter: str) -> None:
        """A name that scraping, identity or rules set is refused, and the error tells which."""
        with pytest.raises(
            DeclarationError, match=rf"label Bad\.{name}: is reserved for {setter}; choose a name"
        ):
            declare(**{name: str})

    @pytest.mark.parametrize(
        ("name", "better"),
        [
            ("endpoint", "path"),
            ("environment", "target_environment"),
            ("service", "called_service"),
        ],
    )
    def test_error_about_reserved_name_has_another_name(self, name: str, better: str) -> None:
        """The error about a reserved name has a name that is free."""
        with pytest.raises(DeclarationError, match=rf"of the value, such as {better}$"):
            declare(**{name: str})
        declare(**{better: str})

    @pytest.mark.parametrize(
        "hint", [int, bool, object, str | None, Literal[1, 2], Literal["a", 1], Literal["a", ""]]
    )
    def test_label_with_values_other_than_strings_is_refused(self, hint: object) -> None:
        """A label with values other than strings, or with an empty value, is refused."""
        with pytest.raises(
            DeclarationError, match=r"label Bad\.code: has an unsupported type; declare it"
        ):
            declare(code=hint)

    def test_third_open_label_is_refused(self) -> None:
        """A third open label is refused, and the error names all open labels."""
        with pytest.raises(
            DeclarationError, match=r"labels Bad: leave 3 labels open \(a, b, c\); close.*at most 2"
        ):
            declare(a=str, b=str, c=str)

    def test_default_outside_closed_values_is_refused(self) -> None:
        """A default outside the closed values is refused."""
        hints = {"method": Literal["GET", "POST"]}

        with pytest.raises(DeclarationError, match=r"method: defaults to 'PUT'; choose .*GET"):
            labels(type("Bad", (), {"__annotations__": hints, "method": "PUT"}))

    @pytest.mark.parametrize("what", [type("Bare", (), {}), type("Sub", (Request,), {}), str])
    def test_class_without_decorator_is_refused(self, what: object) -> None:
        """A class without the decorator is refused, even if its base is decorated."""
        with pytest.raises(DeclarationError, match=r"is not a set of labels; decorate it with"):
            labels_of(what)


class TestCombinations:
    def test_number_of_combinations_is_product_over_closed_labels(self) -> None:
        """The number of combinations is the product over closed labels."""
        assert 4 == closed_combinations(labels_of(Request))

    def test_without_labels_there_is_one_combination(self) -> None:
        """Without labels there is one combination."""
        assert 1 == closed_combinations(labels_of(NoLabels))

    def test_each_combination_of_closed_values_comes_once(self) -> None:
        """Each combination of closed values comes once, with known open values."""
        expanded = list(expand_closed(labels_of(Request), {"route": "/", "tenant": "a"}))

        assert [
            ("/", "GET", "http", "a"),
            ("/", "GET", "https", "a"),
            ("/", "POST", "http", "a"),
            ("/", "POST", "https", "a"),
        ] == expanded

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

import pytest

from otel_meta import NoLabels, labels
from otel_meta.errors import DeclarationError
from otel_meta.model.labels import closed_combinations, expand_closed, labels_of
from otel_meta.semconv import Attribute


@labels
class Request:
    route: str
    method: Literal["GET", "POST"]
    scheme: Literal["http", "https"] = "https"
    tenant: str = ""


def declare(**hints: object) -> type:
    """Labels of these types."""
    return labels(type("Bad", (), {"__annotations__": hints}))


class TestDeclared:
    def test_order(self) -> None:
        """Labels keep the order in which they were declared."""
        assert ["route", "method", "scheme", "tenant"] == [f.name for f in labels_of(Request)]

    def test_values(self) -> None:
        """A str leaves its values open, a Literal closes them."""
        values = [label.values for label in labels_of(Request)]

        assert [None, ("GET", "POST"), ("http", "https"), None] == values

    def test_defaults(self) -> None:
        """A label has the default that was declared, or none."""
        assert [None, None, "https", ""] == [label.default for label in labels_of(Request)]

    def test_key(self) -> None:
        """A label's key in OpenTelemetry is its own name."""
        assert ["route", "method"] == [f.attribute.key for f in labels_of(Request)][:2]

    def test_frozen(self) -> None:
        """A set of labels cannot be changed."""
        request = Request(route="/", method="GET")

        with pytest.raises(dataclasses.FrozenInstanceError):
            request.route = "/other"  # type: ignore[misc]

    def test_keywords(self) -> None:
        """Labels have names and no places."""
        with pytest.raises(TypeError, match="positional"):
            Request("/", "GET")  # type: ignore[misc]

    def test_none(self) -> None:
        """A metric may have no labels."""
        assert () == labels_of(NoLabels)


class TestAttribute:
    def test_dots(self) -> None:
        """A label of the conventions keeps its dotted key beside its Prometheus name."""
        (label,) = labels_of(declare(http_route=Annotated[str, Attribute("http.route")]))

        assert ("http_route", "http.route") == (label.name, label.attribute.key)

    def test_closed(self) -> None:
        """Values too many for a Literal are closed by the attribute."""
        (label,) = labels_of(declare(code=Annotated[str, Attribute("code", values=("1", "2"))]))

        assert ("1", "2") == label.values

    def test_other_words(self) -> None:
        """A key that Prometheus would show under another name is refused."""
        with pytest.raises(DeclarationError, match=r"Bad\.route.*exported as http\.path.*same"):
            declare(route=Annotated[str, Attribute("http.path")])


class TestRefused:
    @pytest.mark.parametrize("name", ["Route", "_route", "route_", "a__b", "é"])
    def test_key(self, name: str) -> None:
        """A name that some export path would change is refused."""
        with pytest.raises(DeclarationError, match=r"label Bad\..*every export path; use lower"):
            declare(**{name: str})

    @pytest.mark.parametrize(
        "name",
        [
            "job",
            "instance",
            "le",
            "quantile",
            "service_name",
            "service_namespace",
            "otel_scope_name",
            "exported_job",
        ],
    )
    def test_reserved(self, name: str) -> None:
        """A name that scraping or identity needs is refused."""
        with pytest.raises(
            DeclarationError, match=rf"label Bad\.{name}: is reserved.*choose a name"
        ):
            declare(**{name: str})

    @pytest.mark.parametrize(
        "hint", [int, bool, object, str | None, Literal[1, 2], Literal["a", 1], Literal["a", ""]]
    )
    def test_type(self, hint: object) -> None:
        """A label whose values are not strings, or may be empty by name, is refused."""
        with pytest.raises(
            DeclarationError, match=r"label Bad\.code: has an unsupported type; declare it"
        ):
            declare(code=hint)

    def test_open(self) -> None:
        """A third open label is refused, and all of them are named."""
        with pytest.raises(
            DeclarationError, match=r"labels Bad: leave 3 labels open \(a, b, c\); close.*at most 2"
        ):
            declare(a=str, b=str, c=str)

    def test_default(self) -> None:
        """A default outside the closed set is refused."""
        hints = {"method": Literal["GET", "POST"]}

        with pytest.raises(DeclarationError, match=r"method: defaults to 'PUT'; choose .*GET"):
            labels(type("Bad", (), {"__annotations__": hints, "method": "PUT"}))

    @pytest.mark.parametrize("what", [type("Bare", (), {}), type("Sub", (Request,), {}), str, None])
    def test_undecorated(self, what: object) -> None:
        """Only a class that was decorated itself is a set of labels."""
        with pytest.raises(DeclarationError, match=r"is not a set of labels; decorate it with"):
            labels_of(what)


class TestCombinations:
    def test_count(self) -> None:
        """Closed labels multiply; open ones do not count."""
        assert 4 == closed_combinations(labels_of(Request))

    def test_count_of_none(self) -> None:
        """Without labels there is one series."""
        assert 1 == closed_combinations(labels_of(NoLabels))

    def test_expand(self) -> None:
        """Every combination comes once, in declared order, around the open values."""
        expanded = list(expand_closed(labels_of(Request), {"route": "/", "tenant": "a"}))

        assert [
            ("/", "GET", "http", "a"),
            ("/", "GET", "https", "a"),
            ("/", "POST", "http", "a"),
            ("/", "POST", "https", "a"),
        ] == expanded

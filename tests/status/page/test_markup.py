from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_meta.status.page.markup import Markup, element, joined, unique_id


class TestElement:
    def test_texts_and_attributes_are_escaped(self) -> None:
        """Texts and values of attributes are escaped; markup is not escaped again."""
        assert '<p title="&quot;&lt;"><b>&amp;</b>&lt;</p>' == element(
            "p", element("b", "&"), None, ["<"], title='"<'
        )

    def test_attributes_are_flags_numbers_or_absent(self) -> None:
        """True is the name of the attribute alone; False and None leave it out."""
        assert '<rect class="a" aria-label="b" x="0.5" hidden></rect>' == element(
            "rect", class_="a", aria_label="b", x=0.5, hidden=True, open=False, id=None
        )

    def test_empty_element_has_no_end(self) -> None:
        """An element without content has no end tag."""
        assert '<meta charset="utf-8">' == element("meta", charset="utf-8")

    @given(st.text())
    def test_no_text_opens_element_or_ends_attribute(self, text: str) -> None:
        """No text opens an element or ends an attribute."""
        assert not set('<>"') & set(joined(text))

    def test_markup_stays_markup(self) -> None:
        """Markup is joined as it is."""
        assert "<i>" == joined([Markup("<i>")])


class TestUniqueId:
    def test_ids_of_equal_names_differ(self) -> None:
        """The ids of equal names in different places differ, and stay the same."""
        first, second = unique_id("slo", "a b", "x"), unique_id("slo", "a b", "y")

        assert first != second
        assert first == unique_id("slo", "a b", "x")
        assert first.startswith("slo-a-b-")

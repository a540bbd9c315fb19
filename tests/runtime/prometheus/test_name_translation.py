from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.errors import DeclarationError
from otel_meta.model.kind_traits import KINDS, Kind
from otel_meta.model.names import check_name, prometheus_name
from otel_meta.model.units import SUFFIXES
from otel_meta.runtime.prometheus.name_translation import label_name, translate_name

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,4}(?:[._](?:[a-z0-9]{1,4}|total|seconds)){0,3}")


class TestTranslateName:
    @pytest.mark.parametrize(
        ("name", "unit", "kind", "family", "suffix"),
        [
            ("app.requests", "1", "counter", "app_requests", ""),
            ("app.requests.total", "", "counter", "app_requests", ""),
            ("app.total.time", "s", "counter", "app_time_seconds", "seconds"),
            ("app.seconds.time", "s", "counter", "app_seconds_time", ""),
            ("app.rate", "By/s", "gauge", "app_rate_bytes_per_second", "bytes_per_second"),
            ("app.bytes.io", "By/s", "gauge", "app_bytes_io_per_second", ""),
            ("app.rate", "{packet}/s", "gauge", "app_rate_per_second", "per_second"),
            ("app.rate", "1/min", "gauge", "app_rate_per_min", "per_min"),
            ("app.util", "1", "gauge", "app_util_ratio", ""),
            ("app.ratio.x", "1", "gauge", "app_x_ratio", ""),
            ("app.inflight", "1", "updowncounter", "app_inflight", ""),
            ("app.pct", "%", "gauge", "app_pct_percent", "percent"),
            ("app.size", "By{x}", "gauge", "app_size", ""),
            ("app.energy", "kWh", "gauge", "app_energy_kWh", "kWh"),
            ("app.heat", "[degF]", "gauge", "app_heat_degF_", ""),
            ("app.size", " By ", "gauge", "app_size_bytes", "bytes"),
            ("app.size", "By\x1f", "gauge", "app_size_By_", ""),
            ("app.g.total", "", "gauge", "app_g_total", ""),
            ("app..x-y/z.", "", "gauge", "app_x_y_z", ""),
            ("seconds", "s", "histogram", "seconds", ""),
            ("total", "", "counter", "total", ""),
        ],
    )
    def test_family_names_are_equal_to_prometheus_translator(
        self, name: str, unit: str, kind: Kind, family: str, suffix: str
    ) -> None:
        """Family names and units are equal to the Prometheus translator's."""
        assert (family, suffix) == translate_name(name, unit, kind)

    @given(NAMES, st.sampled_from(["{thing}", *SUFFIXES]), st.sampled_from(KINDS))
    def test_declarable_name_is_translated_to_declared_prometheus_name(
        self, name: str, unit: str, kind: Kind
    ) -> None:
        """The translation of a declarable name is the declared Prometheus name."""
        try:
            check_name(name, unit)
        except DeclarationError:
            return
        declared = prometheus_name(name, unit, monotonic=False)

        assert declared == translate_name(name, unit, kind).family

    @given(
        st.from_regex(r"[a-zA-Z][-_./a-zA-Z0-9]{0,254}", fullmatch=True),
        st.text(st.characters(codec="ascii"), max_size=63),
        st.sampled_from(KINDS),
    )
    def test_any_sdk_name_becomes_valid_prometheus_name(
        self, name: str, unit: str, kind: Kind
    ) -> None:
        """Any SDK name becomes a valid Prometheus name with the unit at the end."""
        family, suffix = translate_name(name, unit, kind)

        assert re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", family)
        assert not suffix or family.endswith(f"_{suffix}")


class TestLabelName:
    @pytest.mark.parametrize(
        ("key", "label"),
        [
            ("http.route", "http_route"),
            ("a__b", "a_b"),
            ("a-.b", "a_b"),
            ("1st", "key_1st"),
            ("_u", "_u"),
            ("__name__", "_name_"),
            ("é", "_"),
            ("", "_"),
            ("Case", "Case"),
        ],
    )
    def test_label_names_are_equal_to_prometheus_translator(self, key: str, label: str) -> None:
        """Label names are equal to the Prometheus translator's, with single underscores."""
        assert label == label_name(key)

    @given(st.text())
    def test_any_key_becomes_valid_label_name(self, key: str) -> None:
        """Any key becomes a valid label name without double underscores."""
        label = label_name(key)

        assert re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label)
        assert "__" not in label

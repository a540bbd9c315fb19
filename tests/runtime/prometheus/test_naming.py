from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.errors import DeclarationError
from otel_meta.model.kind_traits import KINDS, Kind
from otel_meta.model.names import check_name, prometheus_name
from otel_meta.model.units import SUFFIXES
from otel_meta.runtime.prometheus.naming import family_name, label_name

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,4}(?:[._](?:[a-z0-9]{1,4}|total|seconds)){0,3}")


class TestFamily:
    @pytest.mark.parametrize(
        ("name", "unit", "kind", "family", "shown"),
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
    def test_known(self, name: str, unit: str, kind: Kind, family: str, shown: str) -> None:
        """A metric's family, and the unit that it ends in, are those of Prometheus' translator."""
        assert (family, shown) == family_name(name, unit, kind)

    @given(NAMES, st.sampled_from(["{thing}", *SUFFIXES]), st.sampled_from(KINDS))
    def test_catalogue(self, name: str, unit: str, kind: Kind) -> None:
        """Whatever a catalogue may declare has the name there that it has here."""
        try:
            check_name(name, unit)
        except DeclarationError:
            return
        declared = prometheus_name(name, unit, monotonic=False)

        assert declared == family_name(name, unit, kind).family

    @given(
        st.from_regex(r"[a-zA-Z][-_./a-zA-Z0-9]{0,254}", fullmatch=True),
        st.text(st.characters(codec="ascii"), max_size=63),
        st.sampled_from(KINDS),
    )
    def test_any(self, name: str, unit: str, kind: Kind) -> None:
        """Whatever the SDK takes becomes a name that Prometheus takes, and ends in its unit."""
        family, shown = family_name(name, unit, kind)

        assert re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", family)
        assert not shown or family.endswith(f"_{shown}")


class TestLabel:
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
    def test_known(self, key: str, label: str) -> None:
        """An attribute's label is that of Prometheus' translator, or of single underscores."""
        assert label == label_name(key)

    @given(st.text())
    def test_any(self, key: str) -> None:
        """Whatever the key, its label is one that Prometheus neither refuses nor drops."""
        label = label_name(key)

        assert re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label)
        assert "__" not in label

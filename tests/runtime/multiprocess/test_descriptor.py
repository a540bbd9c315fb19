from __future__ import annotations

import orjson
import pytest

from otel_meta import Counter, Gauge, NoLabels, labels
from otel_meta.errors import DeclarationError
from otel_meta.model.instrument import Instrument
from otel_meta.repos import BUILTIN
from otel_meta.runtime.multiprocess.descriptor import declared, from_text, instrument_of

INSTRUMENTS = [instrument for _, instrument in BUILTIN.instruments()]


class TestDeclared:
    @pytest.mark.parametrize("instrument", INSTRUMENTS, ids=str)
    def test_round(self, instrument: Instrument[...]) -> None:
        """What a file says of a metric is all that there is to expose of it."""
        of = from_text(orjson.loads(declared(instrument).as_text()))
        again = instrument_of(of)

        assert declared(instrument) == of
        assert instrument.kind == again.kind
        assert instrument.prometheus_name == again.prometheus_name
        assert instrument.sample_names == again.sample_names
        assert instrument.description == again.description
        assert [f.name for f in instrument.label_fields] == [f.name for f in again.label_fields]

    def test_same(self) -> None:
        """As long as a metric is declared the same, it is the same instrument to whoever asks."""
        (one, *_) = INSTRUMENTS
        text = declared(one).as_text()

        assert instrument_of(from_text(orjson.loads(text))) is instrument_of(declared(one))

    def test_limit(self) -> None:
        """The limit is the instrument's own, or else what the telemetry says."""
        own = Counter("atlas.tiles", "Tiles.", NoLabels, max_series=7)
        other = Counter("atlas.tiles", "Tiles.", NoLabels)

        assert (7, 9) == (declared(own, 9).limit, declared(other, 9).limit)

    def test_each(self) -> None:
        """A gauge that is not merged gains a label."""
        gauge = Gauge("atlas.zoom", "Zoom.", NoLabels, multiprocess_mode="all")

        assert ["worker"] == [f.name for f in instrument_of(declared(gauge)).label_fields]


class TestAcross:
    def test_unknown(self) -> None:
        """A way of merging that there is not is refused where it is declared."""
        with pytest.raises(DeclarationError, match="choose one of mostrecent, sum, max, min, all"):
            Gauge("atlas.zoom", "Zoom.", NoLabels, multiprocess_mode="mean")  # type: ignore[arg-type]

    def test_taken(self) -> None:
        """The label that is added must not be there already."""

        @labels
        class Own:
            worker: str

        with pytest.raises(DeclarationError, match="rename the label"):
            Gauge("atlas.zoom", "Zoom.", Own, multiprocess_mode="all")

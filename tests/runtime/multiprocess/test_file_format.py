from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.multiprocess import file_format as layout
from otel_meta.runtime.multiprocess.file_format import DamagedError, Kind, Record

texts = st.recursive(
    st.text(max_size=40) | st.integers(0, 99), lambda inner: st.lists(inner, max_size=4)
).map(layout.orjson.dumps)
rows = st.lists(st.tuples(texts, st.lists(st.floats(allow_nan=False), max_size=9)), max_size=8)


def written(rows: list[tuple[bytes, list[float]]]) -> tuple[bytearray, list[Record]]:
    """A region with these records, and some room behind them."""
    size = sum(layout.size_of(text, len(words)) for text, words in rows)
    region = bytearray(size + 2 * layout.UNIT)
    records, at = [], 0
    for text, words in rows:
        record = layout.write(memoryview(region), at, Kind.SERIES, text, len(words))
        numbers = memoryview(region).cast("d")
        for index, word in enumerate(words, record.first_word):
            numbers[index] = word
        layout.seal(memoryview(region), record)
        records.append(record)
        at += record.length
    return region, records


def read(region: bytearray) -> list[tuple[object, list[float]]]:
    """Every record's text and words."""
    view = memoryview(bytes(region))
    found = []
    for record in layout.records(view, 0):
        layout.check_words(view, record)
        words = view.cast("d")[record.first_word : record.first_word + record.words]
        found.append((layout.text_of(view, record), words.tolist()))
    return found


class TestRecords:
    @given(rows)
    def test_round(self, rows: list[tuple[bytes, list[float]]]) -> None:
        """What was written is read, text and numbers."""
        region, _ = written(rows)

        assert [(layout.orjson.loads(text), words) for text, words in rows] == read(region)

    @given(rows)
    def test_aligned(self, rows: list[tuple[bytes, list[float]]]) -> None:
        """Every word is where a processor reads and writes it as one."""
        _, records = written(rows)

        assert all((r.at + r.length - layout.WORD * r.words) % layout.WORD == 0 for r in records)
        assert all(record.at % layout.UNIT == 0 for record in records)

    @given(rows=rows.filter(len), data=st.data())
    def test_flipped(self, rows: list[tuple[bytes, list[float]]], data: st.DataObject) -> None:
        """A flipped bit is noticed, or it ends the records early, or it was padding."""
        region, _ = written(rows)
        whole = read(region)
        at = data.draw(st.integers(0, len(region) - 1))
        region[at] ^= 1 << data.draw(st.integers(0, 7))
        try:
            found = read(region)
        except DamagedError:
            return

        assert found == whole[: len(found)]

    @given(rows=rows, data=st.data())
    def test_garbage(self, rows: list[tuple[bytes, list[float]]], data: st.DataObject) -> None:
        """Whatever stands in a file, reading it ends, and in no other error."""
        region, _ = written(rows)
        at = data.draw(st.integers(0, len(region)))
        region[at:] = data.draw(st.binary(min_size=len(region) - at, max_size=len(region) - at))
        try:
            read(region)
        except DamagedError:
            return

    def test_commit(self) -> None:
        """A record whose length is not there yet is not there."""
        region, (_, second) = written([(b'"a"', [1.0]), (b'"b"', [2.0])])
        region[second.at : second.at + 4] = bytes(4)

        assert [("a", [1.0])] == read(region)

    def test_fill(self) -> None:
        """What fills a region leads to its end."""
        region, (record,) = written([(b'"a"', [1.0])])
        layout.fill(memoryview(region), record.length)

        assert len(region) == layout.end_of_records(memoryview(region), 0)

    def test_rewrite(self) -> None:
        """A record takes another text in its place, shorter or longer, within its length."""
        region, (record,) = written([(b'"abc"', [])])
        longest = b'"' + b"x" * (layout.room_for_text(record) - 2) + b'"'
        layout.write_text(memoryview(region), record, longest)

        assert layout.orjson.loads(longest) == layout.text_of(memoryview(region), record)

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from otel_meta.runtime.multiprocess import file_format
from otel_meta.runtime.multiprocess.file_format import DamagedError, Record, RecordKind

Row = tuple[bytes, list[float]]

texts = st.recursive(
    st.text(max_size=40) | st.integers(0, 99), lambda inner: st.lists(inner, max_size=4)
).map(orjson.dumps)
random_rows = st.lists(
    st.tuples(texts, st.lists(st.floats(allow_nan=False), max_size=9)), max_size=8
)


def write(rows: list[Row]) -> tuple[bytearray, list[Record]]:
    """Write records of text and words to a region with some free space."""
    size = sum(file_format.record_size(text, len(words)) for text, words in rows)
    region = bytearray(size + 2 * file_format.ALIGNMENT)
    records: list[Record] = []
    offset = 0
    for text, words in rows:
        view = memoryview(region)
        record = file_format.write_record(view, offset, RecordKind.SERIES, text, len(words))
        region_words = view.cast("d")
        for index, word in enumerate(words, record.first_word):
            region_words[index] = word
        file_format.write_words_checksum(view, record)
        records.append(record)
        offset += record.length
    return region, records


def read(region: bytearray) -> list[tuple[object, list[float]]]:
    """Read the text and the words of every record."""
    view = memoryview(bytes(region))
    region_words: memoryview[float] = view.cast("d")
    found: list[tuple[object, list[float]]] = []
    for record in file_format.read_records(view, 0):
        file_format.verify_words(view, record)
        words = region_words[record.first_word : record.first_word + record.word_count]
        found.append((file_format.read_text(view, record), list(words)))
    return found


class TestRecords:
    @given(random_rows)
    def test_round_trip(self, rows: list[Row]) -> None:
        """Text and words of records survive the round trip."""
        region, _ = write(rows)

        assert [(orjson.loads(text), words) for text, words in rows] == read(region)

    @given(random_rows)
    def test_words_are_aligned(self, rows: list[Row]) -> None:
        """Every word is aligned, so the processor loads and stores it as a unit."""
        _, records = write(rows)
        words = [
            record.offset + record.length - file_format.WORD_SIZE * record.word_count
            for record in records
        ]

        assert all(offset % file_format.WORD_SIZE == 0 for offset in words)
        assert all(record.offset % file_format.ALIGNMENT == 0 for record in records)

    @given(rows=random_rows.filter(len), data=st.data())
    def test_flipped_bit_never_changes_a_record(self, rows: list[Row], data: st.DataObject) -> None:
        """A flipped bit raises an error, ends the records early, or hits padding."""
        region, _ = write(rows)
        whole = read(region)
        offset = data.draw(st.integers(0, len(region) - 1))
        region[offset] ^= 1 << data.draw(st.integers(0, 7))
        try:
            found = read(region)
        except DamagedError:
            return

        assert found == whole[: len(found)]

    @given(rows=random_rows, data=st.data())
    def test_garbage_raises_no_other_error(self, rows: list[Row], data: st.DataObject) -> None:
        """Random bytes end the records or raise `DamagedError`, and no other error."""
        region, _ = write(rows)
        offset = data.draw(st.integers(0, len(region)))
        length = len(region) - offset
        region[offset:] = data.draw(st.binary(min_size=length, max_size=length))
        try:
            read(region)
        except DamagedError:
            return

    def test_record_without_length_is_absent(self) -> None:
        """A record is absent until its length is written."""
        region, (_, second) = write([(b'"a"', [1.0]), (b'"b"', [2.0])])
        region[second.offset : second.offset + 4] = bytes(4)

        assert [("a", [1.0])] == read(region)

    def test_filler_ends_at_region_end(self) -> None:
        """A filler extends to the end of its region."""
        region, (record,) = write([(b'"a"', [1.0])])
        file_format.write_filler(memoryview(region), record.length)

        assert len(region) == file_format.end_of_records(memoryview(region), 0)

    def test_text_can_be_rewritten(self) -> None:
        """A record takes another text up to its capacity."""
        region, (record,) = write([(b'"abc"', [])])
        longest = b'"' + b"x" * (file_format.text_capacity(record) - 2) + b'"'
        file_format.write_text(memoryview(region), record, longest)

        assert orjson.loads(longest) == file_format.read_text(memoryview(region), record)

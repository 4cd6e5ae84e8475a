from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_spo.data import ConversionReport, DataFormatError, read_records
from hf_spo.data.formats import parquet
from hf_spo.data.formats.base import Record
from hf_spo.data.formats.registry import detect
from tests.data.format_records import RECORDS

SPO = [{"predicate": "歌手", "subject": "晚风", "subject_type": "歌曲", "object": "白露", "object_type": "人物"}]


def write(records, path, report=None):
    parquet.FORMAT.write(iter(records), path, report or ConversionReport())
    return path


def test_many_rows_in_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "_AT_ONCE", 4)
    path = write(RECORDS * 3, tmp_path / "many.parquet")
    assert pq.ParquetFile(path).num_row_groups == 5
    assert list(read_records(path)) == RECORDS * 3


def test_columns_are_those_of_the_package(tmp_path):
    table = pq.read_table(write(RECORDS, tmp_path / "all.parquet"))
    assert table.column_names == ["id", "text", "triples", "entities", "annotated_predicates"]
    assert table["triples"][0][0]["subject"].as_py() == {"text": "远山的灯", "start": 1, "end": 5, "type": "影视作品"}


def test_rows_of_another_shape(tmp_path):
    path = tmp_path / "duie"  # known by its first bytes
    pq.write_table(pa.Table.from_pylist([{"text": "《晚风》", "spo_list": SPO}]), path)
    assert detect(path).name == "parquet"
    (record,) = read_records(path)
    assert record.triples[0].object.text == "白露"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"text": "雪国"}, 'row 1: row: no "triples"'),
        ({"text": "雪国", "made": datetime(2020, 1, 1), "hash": b"x"}, 'row 1: row: no "triples"'),
        ({"text": None, "spo_list": []}, "row 1: text: expected a string, got nothing"),
        ({"text": "雪国", "triples": [{"subject": "雪国"}]}, r"triples\[0\]\.subject: expected a mention"),
        ({"text": "雪国", "triples": ["雪国"]}, r"triples\[0\]: expected an object"),
        ({"text": "雪国", "triples": 5}, "triples: expected a list of triples, got int"),
    ],
)
def test_bad_rows(tmp_path, row, problem):
    path = tmp_path / "bad.parquet"
    pq.write_table(pa.Table.from_pylist([row]), path)
    with pytest.raises(DataFormatError, match=problem):
        list(read_records(path))
    report = ConversionReport(lambda bad: None)
    assert list(read_records(path, report=report)) == []
    assert report.skipped == 1


def test_offsets_are_checked(tmp_path):
    path = tmp_path / "bad.parquet"
    good = pq.read_table(write(RECORDS[:1], path)).to_pylist()
    good[0]["triples"][0]["subject"]["start"] = 2
    pq.write_table(pa.Table.from_pylist(good), path)
    with pytest.raises(DataFormatError, match=r"row 1: triples\[0\]\.subject: text\[2:5\]"):
        list(read_records(path))


def test_lone_surrogates_are_counted(tmp_path):
    report = ConversionReport()
    path = write([Record("雪\ud800国", id="a\udc00")], tmp_path / "s.parquet", report)
    assert list(read_records(path)) == [Record("雪\ufffd国", id="a\ufffd")]
    assert report.lost == {"lone surrogates, written as U+FFFD": 1}


def test_nothing_is_left_of_what_fails(tmp_path):
    def failing():
        yield RECORDS[0]
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        write(failing(), tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == []


def test_damage_within(tmp_path):
    path = write(RECORDS * 50, tmp_path / "a.parquet")
    content = bytearray(path.read_bytes())
    content[100:400] = b"\xff" * 300
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match=r"not a Parquet file, or not complete"):
        list(read_records(path))

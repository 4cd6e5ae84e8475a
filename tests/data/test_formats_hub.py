import json
import re
from pathlib import Path

import datasets
import pytest

from hf_spo import Example
from hf_spo.data import ConversionReport, DataFormatError, find_format, load_duie, read_records
from hf_spo.data.formats.native import row_of
from hf_spo.data.formats.registry import detect
from tests.data.format_records import RECORDS

DUIE = {
    "text": "《雪国》在北京的票房是三千万",
    "spo_list": [
        {
            "predicate": "票房",
            "subject": "雪国",
            "subject_type": "影视作品",
            "object": {"@value": "三千万", "inArea": "北京"},
            "object_type": {"@value": "Number", "inArea": "地点"},
        },
        {
            "predicate": "导演",
            "subject": "雪国",
            "subject_type": "影视作品",
            "object": {"@value": "北京"},
            "object_type": {"@value": "人物"},
        },
    ],
}
CASREL = {"text": "Anna Lind directed Harbour .", "triple_list": [["Lind", "directed", "Harbour"]]}


@pytest.fixture
def folder(tmp_path):
    def folder(**splits):
        where = tmp_path / "set"
        where.mkdir(exist_ok=True)
        for name, rows in splits.items():
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (where / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        return where

    return folder


def test_data_files_of_a_folder_by_split(folder):
    where = folder(train=[DUIE], test=[{**DUIE, "text": "海边"}])
    (record,) = read_records(f"hub:{where}")
    film, director = record.triples
    assert (film.object.text, film.qualifiers["inArea"].text) == ("三千万", "北京")
    assert director.qualifiers == {}
    (record,) = read_records(f"hub:{where}:default:test")
    assert record.text == "海边"
    assert detect(Path(f"hub:{where}")).name == "hub"


def test_rows_of_three_words(folder):
    (record,) = read_records(f"hub:{folder(train=[CASREL])}")
    assert [(one.subject.text, one.object.text) for one in record.triples] == [("Lind", "Harbour")]


def test_our_own_rows(folder):
    rows = [row_of(record) for record in RECORDS]
    assert list(read_records(f"hub:{folder(train=rows)}:train")) == RECORDS


def test_rows_of_no_shape(folder):
    where = folder(train=[{"text": "雪国"}, {"text": "海边"}])
    with pytest.raises(DataFormatError, match=r'row 1: row: no "triples"'):
        list(read_records(f"hub:{where}"))
    report = ConversionReport(lambda bad: None)
    assert list(read_records(f"hub:{where}", report=report)) == []
    assert report.skipped == 2


@pytest.mark.parametrize("name", ["nobody/nothing", "./nowhere", "nobody/nothing:train", "a:b:c:d:e"])
def test_what_cannot_be_loaded(name, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    with pytest.raises(DataFormatError, match=f"^hub:{re.escape(name)} cannot be loaded: [^\n]+$"):
        list(read_records(f"hub:{name}"))


def test_what_breaks_off(folder):
    where = folder(train=[CASREL] * 3)
    with (where / "train.jsonl").open("a") as file:
        file.write('{"text"')
    with pytest.raises(DataFormatError, match="cannot be read to its end"):
        list(read_records(f"hub:{where}"))


class TestFolders:
    def test_a_data_set(self, tmp_path):
        source = tmp_path / "duie.json"
        source.write_text(json.dumps(DUIE), encoding="utf-8")
        load_duie(source)["train"].save_to_disk(tmp_path / "saved")
        assert detect(tmp_path / "saved").name == "datasets"
        (found,) = read_records(tmp_path / "saved")
        (expected,) = read_records(source)
        assert found == expected
        assert isinstance(found.example, Example)

    def test_splits_are_named(self, tmp_path):
        data = datasets.DatasetDict({"train": datasets.Dataset.from_list([CASREL])})
        data.save_to_disk(tmp_path / "saved")
        assert detect(tmp_path / "saved").name == "datasets"
        with pytest.raises(DataFormatError, match=r"several splits; name one of them: .*saved/train"):
            list(read_records(tmp_path / "saved"))
        assert len(list(read_records(tmp_path / "saved" / "train"))) == 1

    def test_what_is_none(self, tmp_path):
        with pytest.raises(DataFormatError, match="not a data set saved by datasets"):
            list(read_records(tmp_path, "datasets"))
        (tmp_path / "state.json").write_text("{", encoding="utf-8")
        with pytest.raises(DataFormatError, match="not a data set saved by datasets"):
            list(read_records(tmp_path))


def test_they_are_not_written():
    assert find_format("hub").write is None
    assert find_format("datasets").write is None

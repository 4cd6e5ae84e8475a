import json

import pytest

from hf_spo.data import DUIE_FEATURES, DataFormatError, example_from_duie, load_duie, read_examples


def triple(value, types, subject="雪国"):
    return {
        "predicate": "票房",
        "subject": subject,
        "subject_type": "影视作品",
        "object": value,
        "object_type": types,
    }


VERSION_1 = [
    {"text": "雪国票房三千万", "postag": [{"word": "雪国", "pos": "nz"}], "spo_list": [triple("三千万", "Number")]},
    {"text": "今天天气很好", "postag": [], "spo_list": []},
]
EMPTY = [{"text": "今天天气很好", "spo_list": []}]
VERSION_2 = [
    {"text": "今天天气很好", "spo_list": []},
    {
        "text": "雪国在北京票房三千万",
        "spo_list": [triple({"@value": "三千万", "inArea": "北京"}, {"@value": "Number", "inArea": "地点"})],
    },
    {
        "text": "雪国五月票房三千万",
        "spo_list": [triple({"@value": "三千万", "onDate": "五月"}, {"onDate": "Date", "@value": "Number"})],
        "id": 7,
    },
]


@pytest.fixture
def write(tmp_path):
    def write(rows, name):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("rows", [VERSION_1, VERSION_2, EMPTY], ids=["1.0", "2.0", "no triple"])
def test_rows_read_back_losslessly(write, rows, streaming):
    path = write(rows, "data.jsonl")
    data = load_duie(path, streaming=streaming)["train"]
    assert data.features == DUIE_FEATURES
    assert [example_from_duie(row) for row in data] == list(read_examples(path))
    for row, original in zip(data, rows, strict=True):
        assert row == {"text": original["text"], "spo_list": original["spo_list"]}


@pytest.mark.parametrize("streaming", [False, True])
def test_files_of_one_split_and_several_splits(write, streaming):
    one, two, none = write(VERSION_1, "one.jsonl"), write(VERSION_2, "two.jsonl"), write(EMPTY, "none.jsonl")
    data = load_duie({"train": [none, one, two], "validation": str(two)}, streaming=streaming)
    assert list(data) == ["train", "validation"]
    assert len(list(data["train"])) == 6
    assert [row["text"] for row in data["validation"]] == [row["text"] for row in VERSION_2]


def test_a_changed_file_is_read_anew(write):
    assert len(load_duie(write(EMPTY, "data.jsonl"))["train"]) == 1
    assert len(load_duie(write(VERSION_2, "data.jsonl"))["train"]) == 3


def test_what_datasets_does_with_rows_keeps_them(write):
    data = load_duie(write(VERSION_2, "data.jsonl"))["train"]
    mapped = data.map(lambda row: {"length": len(row["text"])}).filter(lambda row: row["spo_list"])
    assert [row["spo_list"] for row in mapped] == [VERSION_2[1]["spo_list"], VERSION_2[2]["spo_list"]]


@pytest.mark.parametrize("streaming", [False, True])
def test_a_bad_line_is_named(write, streaming):
    path = write([*VERSION_1, {"text": "雪国", "spo_list": [triple(None, "Number")]}], "bad.jsonl")
    with pytest.raises(DataFormatError, match=r"bad.jsonl:3: spo_list\[0\].object: expected a string or an object"):
        list(load_duie(path, streaming=streaming)["train"])


@pytest.mark.parametrize("streaming", [False, True])
def test_a_missing_file(tmp_path, streaming):
    with pytest.raises(FileNotFoundError):
        load_duie(tmp_path / "none.jsonl", streaming=streaming)

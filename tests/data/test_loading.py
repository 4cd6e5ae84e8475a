import json

import pandas as pd
import pyarrow.parquet as pq
import pytest
from datasets import Dataset, Features, List, Value, load_dataset

from hf_spo import Example, Triple, Triples
from hf_spo.data import (
    DUIE_FEATURES,
    TRIPLE_FEATURES,
    DataFormatError,
    example_from_duie,
    example_from_row,
    load_duie,
    read_examples,
)
from hf_spo.support.tables import triple_of


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
    {"text": "今天天气很好", "postag": [], "spo_list": [], "annotated_predicates": ["票房"]},
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
        partial = {"annotated_predicates": original.get("annotated_predicates")}
        assert row == {"text": original["text"], "spo_list": original["spo_list"], **partial}


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


TEXT = "2010年,何雨晴凭《海边》拿下最佳女主角"
WORK = {"text": "海边", "start": 11, "end": 13, "type": "作品"}
AWARD = {
    "score": 0.5,
    "subject": {"text": "何雨晴", "start": 6, "end": 9, "type": "人物"},
    "predicate": "获奖",
    "object": {"text": "最佳女主角", "start": 16, "end": 21, "type": "奖项"},
    "qualifiers": {"inWork": WORK},
}
PLAIN = {**AWARD, "predicate": "作品", "object": WORK, "qualifiers": {}}


def test_results_of_the_pipeline_are_a_column_though_the_first_batch_has_none(tmp_path):
    found = {"海边": Triples(), TEXT: Triples([AWARD, PLAIN], TEXT)}
    data = Dataset.from_dict({"text": list(found)})
    features = Features({**data.features, "triples": List(TRIPLE_FEATURES)})
    data = data.map(
        lambda batch: {"triples": [found[text] for text in batch["text"]]},
        batched=True,
        batch_size=1,
        features=features,
    )
    assert data[1]["triples"] == [AWARD, PLAIN]
    data.to_parquet(tmp_path / "data.parquet")
    expected = [Example(text, triples.triples) for text, triples in found.items()]
    assert list(read_examples(tmp_path / "data.parquet")) == expected
    assert [example_from_row(row) for row in data] == expected


def test_json_of_the_pipeline_goes_through_datasets_and_parquet(tmp_path):
    rows = [{"text": "海边", "triples": []}, {"text": TEXT, "triples": [AWARD, PLAIN]}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    data = load_dataset("json", data_files=str(tmp_path / "a.jsonl"), split="train", cache_dir=str(tmp_path / "cache"))
    data.to_parquet(tmp_path / "a.parquet")
    expected = [Example.from_dict(row) for row in rows]
    assert list(read_examples(tmp_path / "a.parquet")) == expected
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert [example_from_row(row) for row in frame.to_dict("records")] == expected


def test_triples_alone_through_arrow_and_pandas(tmp_path):
    """Parquet has no type for an object without fields, which empty qualifiers are."""
    triples = Triples([PLAIN, PLAIN], TEXT)
    Dataset.from_list(list(triples), features=TRIPLE_FEATURES).to_parquet(tmp_path / "rows.parquet")
    back = load_dataset("parquet", data_files=str(tmp_path / "rows.parquet"), split="train", cache_dir=str(tmp_path))
    assert [Triple.from_dict(row) for row in back] == list(triples.triples)
    triples.to_pandas().to_parquet(tmp_path / "table.parquet")
    pq.write_table(triples.to_arrow(), tmp_path / "same.parquet")
    for name in ("table", "same"):
        rows = pq.read_table(tmp_path / f"{name}.parquet").to_pylist()
        assert [Triple.from_dict(triple_of(row)) for row in rows] == list(triples.triples)


def test_a_frame_with_triples_goes_through_parquet(tmp_path):
    frame = pd.DataFrame({"text": ["海边", TEXT], "triples": [Triples(), Triples([PLAIN], TEXT)]})
    features = Features({"text": Value("string"), "triples": List(TRIPLE_FEATURES)})
    Dataset.from_list(frame.to_dict("records"), features=features).to_parquet(tmp_path / "a.parquet")
    assert [len(example.triples) for example in read_examples(tmp_path / "a.parquet")] == [0, 1]

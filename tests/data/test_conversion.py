import json
from dataclasses import replace

import pytest

from hf_spo.data import ConversionReport, DataFormatError, read_records
from hf_spo.data.conversion import convert
from hf_spo.data.formats.native import row_of
from hf_spo.data.splitting import Split
from tests.data.format_records import RECORDS

MANY = [replace(RECORDS[0], text=f"{RECORDS[0].text}{number}", id=f"n{number}") for number in range(60)]


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source.jsonl"
    path.write_text("".join(json.dumps(row_of(record)) + "\n" for record in [*RECORDS, *MANY]), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "form"), [("a.jsonl", "hf-spo"), ("a.tsv", "tsv"), ("a.parquet", "parquet"), ("a.spacy", "docbin")]
)
def test_the_suffix_says_the_format(source, tmp_path, name, form):
    done = convert(source, tmp_path / name)
    assert (done.source_format, done.target_format) == ("hf-spo", form)
    assert [done.total(of) for of in ("records", "triples", "entities")] == [66, 187, 3]
    assert len(list(read_records(tmp_path / name))) == 66


@pytest.mark.parametrize(
    ("name", "to", "message"),
    [
        (
            "a.json",
            None,
            r"a\.json: its suffix \.json does not tell the format to write; name one with --to: brat",
        ),
        ("out", None, "no suffix that tells the format to write; name one with --to"),
        ("a.json", "scierc", "scierc can be read, but not written; formats to write are brat, casrel"),
        ("a.json", "hub", "hub can be read, but not written"),
        ("a.json", "jsonl", "there is no format 'jsonl'"),
    ],
)
def test_formats_that_cannot_be_written(source, tmp_path, name, to, message):
    with pytest.raises(DataFormatError, match=message):
        convert(source, tmp_path / name, target_format=to)
    assert [path.name for path in tmp_path.iterdir()] == ["source.jsonl"]


def test_accounts(source, tmp_path):
    bad = {
        "text": "雪国",
        "triples": [{"subject": {"text": "雪", "start": 1, "end": 2}, "predicate": "p", "object": {}}],
    }
    high = {
        "text": "雪国",
        "triples": [
            {"subject": {"text": "雪", "start": 1, "end": 2}, "predicate": "p", "object": {"text": "国"}, "score": 1}
        ],
    }
    source.write_text(f"{json.dumps(bad)}\n{json.dumps(high)}\n", encoding="utf-8")
    aside = []
    done = convert(
        source,
        tmp_path / "a.json",
        target_format="doccano",
        report=ConversionReport(aside.append, correct_offsets=True),
    )
    assert done.to_dict() == {
        "input": str(source),
        "from": "hf-spo",
        "to": "doccano",
        "records": 1,
        "triples": 1,
        "entities": 0,
        "files": {"all": {"file": str(tmp_path / "a.json"), "records": 1, "triples": 1, "entities": 0}},
        "not_read": {},
        "not_written": {"scores of triples": 1},
        "corrected": {"offsets where too high by 1": 1, "triples placed by looking their words up": 1},
        "doubtful": {},
        "skipped": 1,
    }
    assert len(aside) == 1


def test_onto_itself(source):
    before = list(read_records(source))
    convert(source, source)
    assert list(read_records(source)) == before


class TestSplits:
    def split(self, source, target, shares="0.6/0.2/0.2", **options):
        return convert(source, target, split=Split.parse(shares), **options)

    def test_a_folder(self, source, tmp_path):
        done = self.split(source, tmp_path / "new" / "data", target_format="casrel")
        files = sorted((tmp_path / "new" / "data").iterdir())
        assert [file.name for file in files] == ["dev.json", "test.json", "train.json"]
        parts = {file.stem: [record.text for record in read_records(file)] for file in files}
        assert {part: counts.records for part, counts in done.files.items()} == {
            part: len(texts) for part, texts in parts.items()
        }
        assert sorted(text for texts in parts.values() for text in texts) == sorted(
            record.text for record in [*RECORDS, *MANY]
        )
        assert done.total("records") == 66
        assert done.written.lost["identifiers"] == 66

    def test_names(self, source, tmp_path):
        done = self.split(source, tmp_path / "new" / "a-{split}.tsv", "0.5/0.5")
        assert [counts.path.name for counts in done.files.values()] == ["a-train.tsv", "a-dev.tsv"]
        assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a-dev.tsv", "a-train.tsv"]

    def test_formats_that_are_folders(self, source, tmp_path):
        self.split(source, tmp_path / "tool", "0.5/0.5", target_format="brat")
        assert sorted(path.name for path in (tmp_path / "tool").iterdir()) == ["dev", "train"]
        assert len(list(read_records(tmp_path / "tool"))) == 66

    def test_one_file_for_several(self, source, tmp_path):
        with pytest.raises(
            DataFormatError, match=r"name a folder, or put \{split\} into the file name, such as a-\{split\}"
        ):
            self.split(source, tmp_path / "a.jsonl")

    def test_the_order_is_of_no_account_and_copies_stay_together(self, source, tmp_path):
        self.split(source, tmp_path / "one-{split}.jsonl")
        lines = source.read_text(encoding="utf-8").splitlines()
        source.write_text("\n".join([*lines[::-1], *lines]), encoding="utf-8")
        self.split(source, tmp_path / "two-{split}.jsonl")
        for part in ("train", "dev", "test"):
            first, second = (
                [record.text for record in read_records(tmp_path / f"{name}-{part}.jsonl")] for name in ("one", "two")
            )
            assert sorted(first * 2) == sorted(second)

    def test_what_is_wrong_is_told_once(self, source, tmp_path):
        with source.open("a", encoding="utf-8") as file:
            file.write('{"text"\n')
        aside = []
        done = self.split(source, tmp_path / "{split}.jsonl", report=ConversionReport(aside.append))
        assert (len(aside), done.read.skipped, done.total("records")) == (1, 1, 66)
        with pytest.raises(DataFormatError, match=r"source\.jsonl:67: not JSON"):
            self.split(source, tmp_path / "{split}.jsonl")

"""Every format that is written: detected, and read back as what it was but for what the report says."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hf_spo import Mention, Span, Triple
from hf_spo.data import ConversionReport, find_format, format_names, read_examples, read_records
from hf_spo.data.formats.base import Record
from hf_spo.data.formats.losses import Part
from hf_spo.data.formats.registry import detect
from tests.data.format_records import RECORDS, without


def compact(record: Record) -> Record:
    """Return a record without white space and offsets."""

    def packed(one: Mention) -> Mention:
        return Mention("".join(one.text.split()), None, one.type)

    triples = tuple(
        replace(
            one,
            subject=packed(one.subject),
            object=packed(one.object),
            qualifiers={slot: packed(value) for slot, value in one.qualifiers.items()},
        )
        for one in record.triples
    )
    return Record("".join(record.text.split()), triples, tuple(map(packed, record.entities)), record.id)


@dataclass
class Kept:
    """What a format does to RECORDS: parts that it loses, what the report counts, and a form to compare them in."""

    lost: set[Part]
    counted: dict[str, int]
    form: Callable[[Record], Record] = lambda record: record
    ordered: bool = True


NO_PLACE = {"identifiers": 6, "entities in no triple": 3, "scores": 2}
TOOLS = Kept({Part.SCORES}, {"scores of triples": 2})
FORMATS = {
    "brat": replace(TOOLS, ordered=False),
    "casrel": Kept({*Part}, {**NO_PLACE, "offsets of mentions": 14, "types of mentions": 14, "qualifiers": 2}),
    "cmeie": Kept({*Part} - {Part.TYPES, Part.QUALIFIERS}, {**NO_PLACE, "offsets of mentions": 16}),
    "docbin": Kept(set(), {}),
    "doccano": TOOLS,
    "duie1": Kept({*Part} - {Part.TYPES}, {**NO_PLACE, "offsets of mentions": 14, "qualifiers": 2}),
    "duie2": Kept({*Part} - {Part.TYPES, Part.QUALIFIERS}, {**NO_PLACE, "offsets of mentions": 16}),
    "hf-spo": Kept(set(), {}),
    "label-studio": TOOLS,
    "parquet": Kept(set(), {}),
    "prodigy": TOOLS,
    # Its texts are made of tokens.
    "spert": Kept({Part.SCORES}, {"white space of texts": 2, "scores of triples": 2}, compact),
    "tplinker": Kept({Part.QUALIFIERS, Part.SCORES}, {"qualifiers": 2, "scores": 2}),
    "tsv": Kept({Part.QUALIFIERS, Part.ENTITIES}, {"entities in no triple": 3, "qualifiers": 2}),
}


def write(name: str, records: list[Record], folder: Path, report: ConversionReport | None = None) -> Path:
    form = find_format(name)
    path = folder / f"data{form.suffix}"
    assert form.write is not None
    form.write(iter(records), path, report or ConversionReport())
    return path


def test_every_format_that_is_written_is_in_the_table() -> None:
    assert set(FORMATS) == {name for name in format_names() if find_format(name).write}
    assert all(find_format(name).name == name for name in format_names())


@pytest.mark.parametrize("name", FORMATS)
def test_round_trip(name: str, tmp_path: Path) -> None:
    kept, writing, reading = FORMATS[name], ConversionReport(), ConversionReport()
    path = write(name, RECORDS, tmp_path, writing)
    assert detect(path).name == name
    found = list(read_records(path, report=reading))
    expected = [without(record, kept.lost) for record in RECORDS]
    if not kept.ordered:
        found, expected = (sorted(records, key=lambda record: record.text) for records in (found, expected))
    assert [kept.form(record) for record in found] == [kept.form(record) for record in expected]
    assert dict(writing.lost) == kept.counted
    # CMeIE's mark of triples across sentences follows from the text, and is left out again.
    assert dict(reading.lost) == {}
    assert dict(writing.corrected) == dict(reading.corrected) == {}
    assert list(read_records(path, name)) == list(read_records(path))
    assert len(list(read_examples(path))) == len(RECORDS)


@pytest.mark.parametrize("name", FORMATS)
def test_triples_without_offsets(name: str, tmp_path: Path) -> None:
    bare = without(RECORDS[0], {Part.OFFSETS})
    absent = Triple(Mention("远山的灯", None, "影视作品"), "导演", Mention("不在文中", None, "人物"))
    report = ConversionReport()
    path = write(name, [replace(bare, triples=(*bare.triples, absent))], tmp_path, report)
    (found,) = read_records(path)
    facts = [(one.subject.text, one.predicate, one.object.text) for one in found.triples]
    assert facts[:3] == [(one.subject.text, one.predicate, one.object.text) for one in bare.triples]
    if len(facts) == 3:
        assert report.lost["triples whose words are not in the text"] == 1
        assert report.corrected["triples placed by looking their words up"] == 3
    else:
        assert facts[3] == ("远山的灯", "导演", "不在文中")
        assert all(one.subject.span is None for one in found.triples)
        assert not report.corrected


@pytest.mark.parametrize("name", FORMATS)
def test_a_very_long_text(name: str, tmp_path: Path) -> None:
    long = "很长的文字。" * 16_000  # more bytes than detection reads at first
    record = replace(RECORDS[0], text=RECORDS[0].text + long)
    path = write(name, [record], tmp_path)
    assert detect(path).name == name
    (found,) = read_records(path)
    assert found.text == record.text
    assert len(found.triples) == 3


@pytest.mark.parametrize("name", FORMATS)
def test_characters_that_are_hard(name: str, tmp_path: Path) -> None:
    text = "雪国\ud83d\u0301有\x07铃\u2028和\x85灯"
    record = Record(
        text, (Triple(Mention("雪国", Span(0, 2), "书"), "有", Mention("灯", Span(10, 11), "物")),), id="one"
    )
    report = ConversionReport()
    path = write(name, [record], tmp_path, report)
    (found,) = read_records(path)
    whole = found.text.replace(" ", "") if name == "spert" else found.text
    assert whole in (text, text.replace("\ud83d", "\ufffd"), "雪国\ud83d\u0301有\x07铃和灯")
    if "\ud83d" not in whole:
        assert report.lost["lone surrogates, written as U+FFFD"] == 1
    (triple,) = found.triples
    assert (triple.subject.text, triple.object.text) == ("雪国", "灯")


def test_a_list_of_rows_is_read_like_lines(tmp_path: Path) -> None:
    lines = write("hf-spo", RECORDS, tmp_path)
    whole = tmp_path / "list.json"
    rows = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    whole.write_text(json.dumps(rows, indent=2), encoding="utf-8-sig")
    assert detect(whole).name == "hf-spo"
    assert list(read_records(whole)) == RECORDS


@pytest.mark.parametrize("name", FORMATS)
def test_which_predicates_are_complete_is_kept_or_counted(name: str, tmp_path: Path) -> None:
    records = [replace(RECORDS[0], annotated_predicates=("主演",)), replace(RECORDS[0], annotated_predicates=())]
    report = ConversionReport()
    path = write(name, records, tmp_path, report)
    read = [record.annotated_predicates for record in read_records(path, name)]
    if "which predicates' labels are complete" in report.lost:
        assert report.lost["which predicates' labels are complete"] == 2
        assert set(read) == {None}
    else:
        assert read == [("主演",), ()]
        assert name in ("hf-spo", "duie1", "duie2", "cmeie", "docbin", "parquet")


@pytest.mark.parametrize("value", ["ske41", ["主演", 3], {}])
def test_annotated_predicates_are_a_list_of_names(value: object, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"text": "雪国", "spo_list": [], "annotated_predicates": value}))
    with pytest.raises(ValueError, match=r"rows.jsonl:1: annotated_predicates(\[1\])?: expected a (list|string)"):
        list(read_examples(path))

import json
from collections import Counter

import pytest

from hf_spo.data.formats import scierc, spert
from hf_spo.data.formats.base import ConversionReport, DataFormatError, Record
from hf_spo.model.schema import Mention, Span, Triple
from tests.builders import mention

TEXT = "Anna Lind filmed Blue ."
ANNA, FILM = mention(TEXT, "Anna Lind", "Peop"), mention(TEXT, "Blue", "Work")
ROW = {
    "tokens": ["Anna", "Lind", "filmed", "Blue", "."],
    "entities": [{"type": "Peop", "start": 0, "end": 2}, {"type": "Work", "start": 3, "end": 4}],
    "relations": [{"type": "Film", "head": 0, "tail": 1}],
    "orig_id": 4501,
}
DOCUMENT = {
    "clusters": [],
    "sentences": [["Anna", "Lind", "filmed"], ["Blue", "."]],
    "ner": [[[0, 1, "Peop"]], [[3, 3, "Work"]]],
    "relations": [[[0, 1, 3, 3, "FILM"]], []],
    "doc_key": "D-1",
}


def read(module, tmp_path, *rows, **settings):
    path = tmp_path / "data.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    report = ConversionReport(**settings)
    return list(module.FORMAT.read(path, report)), report


def test_tokens_are_text(tmp_path):
    records, report = read(spert, tmp_path, ROW)
    assert records == [Record(TEXT, (Triple(ANNA, "Film", FILM),), (), "4501")]
    assert not report.lost


@pytest.mark.parametrize(
    "tags",
    ["B-Peop L-Peop O U-Work O", "B-Peop I-Peop O B-Work O", "B-Peop E-Peop O S-Work O", "I-Peop I-Peop O I-Work O"],
)
def test_tags_in_place_of_entities(tmp_path, tags):
    row = {name: value for name, value in ROW.items() if name != "entities"} | {"tags": tags.split()}
    records, report = read(spert, tmp_path, row)
    assert records == [Record(TEXT, (Triple(ANNA, "Film", FILM),), (), "4501")]
    assert not report.lost
    with pytest.raises(DataFormatError, match="a tag for each of the 5 tokens, got 4"):
        read(spert, tmp_path, row | {"tags": row["tags"][:4]})


def test_neighbouring_tags_are_two_entities(tmp_path):
    row = {"tokens": ["Anna", "Blue"], "tags": ["U-Peop", "U-Work"], "relations": ROW["relations"]}
    ((record,), _) = read(spert, tmp_path, row)
    assert [(one.subject.text, one.object.text) for one in record.triples] == [("Anna", "Blue")]


def test_a_document_of_scierc_is_one_text(tmp_path):
    records, report = read(scierc, tmp_path, DOCUMENT)
    assert records == [Record(TEXT, (Triple(ANNA, "FILM", FILM),), (), "D-1")]
    assert not report.lost
    assert scierc.FORMAT.write is None


def test_what_triples_cannot_hold_is_counted(tmp_path):
    assert read(spert, tmp_path, {**ROW, "pos": ["N"]})[1].lost == Counter({"further fields of rows": 1})
    document = {
        **DOCUMENT,
        "clusters": [[[0, 1], [3, 3]]],
        "events": [1],
        "ner": [[[0, 1, "Peop", 3.2, 0.9], [0, 1, "Peop"]], [[3, 3, "Work"]]],
    }
    records, report = read(scierc, tmp_path, document)
    assert records[0].triples == (Triple(ANNA, "FILM", FILM),)
    assert report.lost == Counter(
        {
            "clusters of coreferent mentions": 1,
            "further fields of rows": 1,
            "scores of entities and relations": 1,
            "entities marked twice": 1,
        }
    )


def test_a_mention_that_only_a_relation_has_is_one_without_a_type(tmp_path):
    (record,), _ = read(scierc, tmp_path, {**DOCUMENT, "relations": [[[0, 1, 2, 2, "FILM"]], []]})
    assert record.triples == (Triple(ANNA, "FILM", Mention("filmed", Span(10, 16))),)
    assert record.entities == (FILM,)


@pytest.mark.parametrize(
    ("module", "row", "problem"),
    [
        (spert, {**ROW, "tokens": None}, r"tokens \[0:2\] are not within the 0 tokens"),
        (spert, {"entities": []}, "tokens: expected a list of strings, got nothing"),
        (spert, {**ROW, "tokens": [1]}, r"tokens\[0\]: expected a string, got int"),
        (spert, {**ROW, "entities": [{"type": "a", "start": 1, "end": 1}]}, r"entities\[0\]: tokens \[1:1\]"),
        (spert, {**ROW, "entities": [{"type": "a", "start": 1, "end": 9}]}, "within the 5 tokens"),
        (spert, {**ROW, "tokens": [""], "entities": [{"type": "a", "start": 0, "end": 1}]}, "or empty"),
        (spert, {**ROW, "entities": [{"start": 0, "end": 1}]}, r"entities\[0\].type: expected a string"),
        (spert, {**ROW, "relations": [{"type": "a", "head": 0, "tail": 2}]}, r"relations\[0\].tail: there is no"),
        (spert, {**ROW, "relations": [{"type": "a", "head": -1, "tail": 0}]}, r"relations\[0\].head: there is no"),
        (spert, {**ROW, "relations": [{"type": "a", "tail": 0}]}, r"relations\[0\].head: expected a whole number"),
        (scierc, {**DOCUMENT, "ner": [[[0, "Peop"]], []]}, r"ner\[0\]\[0\]: expected 2 token numbers and a label"),
        (scierc, {**DOCUMENT, "ner": [[["0", 1, "Peop"]], []]}, r"ner\[0\]\[0\]: expected a whole number, got str"),
        (scierc, {**DOCUMENT, "ner": [[[0, 7, "Peop"]], []]}, r"ner\[0\]\[0\]: tokens \[0:8\]"),
        (scierc, {**DOCUMENT, "relations": [[[0, 1, 3, 9, "X"]]]}, r"relations\[0\]\[0\]: tokens \[3:10\]"),
        (scierc, {**DOCUMENT, "relations": 5}, "relations: expected a list, got int"),
        (scierc, {"sentences": [["a"]]}, "ner: expected a list with a list for each sentence, got nothing"),
    ],
)
def test_a_wrong_row_is_named_and_may_be_set_aside(module, row, problem, tmp_path):
    with pytest.raises(DataFormatError, match=problem):
        read(module, tmp_path, row)
    bad = []
    good = ROW if module is spert else DOCUMENT
    records, _ = read(module, tmp_path, row, good, on_bad_line=bad.append)
    assert (len(records), len(bad)) == (1, 1)


def written(tmp_path, record):
    path, report = tmp_path / "out.json", ConversionReport()
    spert.FORMAT.write([record], path, report)
    (row,) = json.loads(path.read_text(encoding="utf-8"))
    return row, report


def test_what_is_written_is_what_was_published(tmp_path):
    row, report = written(tmp_path, Record(TEXT, (Triple(ANNA, "Film", FILM),), (), "x"))
    assert row == {**ROW, "orig_id": "x"}
    assert not report.lost
    assert "orig_id" not in written(tmp_path, Record(TEXT))[0]


@pytest.mark.parametrize(
    ("text", "part", "tokens", "lost"),
    [
        ("Berliner", "Berlin", ["Berlin", "er"], {"white space of texts": 1}),
        ("Anna, here", "Anna", ["Anna", ",", "here"], {"white space of texts": 1}),
        ("白露 唱\n《晚风》", "晚风", ["白", "露", "唱", "《", "晚", "风", "》"], {"white space of texts": 1}),
        ("看 Blue。", "Blue", ["看", "Blue", "。"], {"white space of texts": 1}),
        ("看Blue。", "Blue", ["看", "Blue", "。"], {}),
        ("a b", "a ", ["a", "b"], {}),
        ("a  b", " ", ["a", "b"], {"white space of texts": 1, "empty entities": 1}),
    ],
)
def test_white_space_that_tokens_do_not_make_is_counted(text, part, tokens, lost, tmp_path):
    row, report = written(tmp_path, Record(text, (), (mention(text, part, "X"),)))
    assert row["tokens"] == tokens
    assert report.lost >= Counter(lost)
    if not lost:
        assert not report.lost

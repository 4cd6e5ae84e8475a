"""Round trips, recognition and broken files, over all formats of annotation tools."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_spo.data.formats.base import ConversionReport, DataFormatError, Record, Sample
from hf_spo.data.formats.registry import detect, find_format
from hf_spo.model.schema import Mention, Span, Triple
from tests.builders import EXAMPLES, any_text, mention

WRITABLE = ("doccano", "label-studio", "prodigy", "spert", "brat", "docbin")
EVERY_TOOL = pytest.mark.parametrize("tool", WRITABLE)


def marked(text, *parts, name=None, triples=()):
    return Record(text, tuple(triples), tuple(mention(text, *part) for part in parts), name)


NESTED = "读完《鲁迅自传》的人不多"
EMOJI = "😀Zoë 在👩‍👧公园遇见𠮷野家的店长"
SAME = "苹果发布了新品"
AWARD = "何雨晴、林小川凭《海边》拿下最佳女主角"
PRIZE = mention(AWARD, "最佳女主角", "奖项")
RECORDS = {
    **{f"example {number}": Record(item.text, item.triples, (), f"e{number}") for number, item in enumerate(EXAMPLES)},
    "nested": marked(
        NESTED,
        ("人", "人物"),
        name="n1",
        triples=[Triple(mention(NESTED, "鲁迅自传", "图书作品"), "作者", mention(NESTED, "鲁迅", "人物"))],
    ),
    "one span, two types": marked(
        SAME,
        ("新品", "产品"),
        name="s1",
        triples=[Triple(mention(SAME, "苹果", "企业"), "同名", mention(SAME, "苹果", "水果"))],
    ),
    "emoji": marked(
        EMOJI,
        ("😀", "符号"),
        name="u1",
        triples=[Triple(mention(EMOJI, "𠮷野家", "企业"), "店长", mention(EMOJI, "Zoë", "人物"))],
    ),
    "no triple": marked("今天天气很好", name="x"),
    "no type": marked("小川走了", ("小川", ""), name="t"),
    "a chain": Record(
        "丽在北京市",
        (
            Triple(mention("丽在北京市", "丽", "人"), "在", mention("丽在北京市", "北京市", "地点")),
            Triple(mention("丽在北京市", "北京市", "地点"), "含", mention("丽在北京市", "北京", "地点")),
        ),
        (),
        "c",
    ),
}
SHARED = Record(
    AWARD,
    (
        Triple(mention(AWARD, "何雨晴", "人物"), "获奖", PRIZE, {"inWork": mention(AWARD, "海边", "作品")}),
        Triple(mention(AWARD, "林小川", "人物"), "获奖", PRIZE),
    ),
    (),
    "shared",
)


def write(tool, records, folder):
    """Return the path and the report of records written by a tool's writer."""
    form, report = find_format(tool), ConversionReport()
    path = folder / f"file{form.suffix}"
    form.write(iter(records), path, report)
    return path, report


def read(tool, path, **settings):
    report = ConversionReport(**settings)
    return list(find_format(tool).read(path, report)), report


@pytest.mark.parametrize(
    ("tool", "name"),
    # Spaces around emoji are not those that SpERT's tokens make; test_spert has that.
    [(tool, name) for tool in WRITABLE for name in RECORDS if (tool, name) != ("spert", "emoji")],
)
def test_a_record_comes_back_as_it_was(tool, name, tmp_path):
    path, written = write(tool, [RECORDS[name]], tmp_path)
    records, report = read(tool, path)
    assert records == [RECORDS[name]]
    assert not written.lost
    assert not report.lost
    assert not report.corrected


@EVERY_TOOL
def test_many_records_keep_their_order_and_are_recognised(tool, tmp_path):
    expected = sorted((one for one in RECORDS.values() if one.text != EMOJI), key=lambda record: record.id)
    path, _ = write(tool, expected, tmp_path)
    assert read(tool, path)[0] == expected
    assert detect(path).name == tool


@EVERY_TOOL
def test_no_record_at_all_is_a_file_too(tool, tmp_path):
    path, report = write(tool, [], tmp_path)
    assert path.exists()
    assert not report.lost


@pytest.mark.parametrize("tool", [tool for tool in WRITABLE if tool != "prodigy"])
def test_triples_that_share_an_object_keep_their_own_qualifiers(tool, tmp_path):
    path, report = write(tool, [SHARED], tmp_path)
    assert read(tool, path)[0] == [SHARED]
    assert not report.lost


@EVERY_TOOL
def test_mentions_without_offsets_are_looked_up(tool, tmp_path):
    bare = Record("丽丽在北京", (Triple(Mention("丽丽", None, "人"), "在", Mention("北京", None, "地点")),), (), "b")
    lost = Record("丽丽", (Triple(Mention("丽丽", None, "人"), "在", Mention("北京", None, "地点")),), (), "c")
    path, report = write(tool, [bare, lost], tmp_path)
    (one, other), _ = read(tool, path)
    assert [part.span for part in (one.triples[0].subject, one.triples[0].object)] == [Span(0, 2), Span(3, 5)]
    assert other.triples == ()
    assert sum(report.corrected.values()) == sum(report.lost.values()) == 1


@EVERY_TOOL
def test_lone_surrogates_come_through_or_are_counted(tool, tmp_path):
    text = "一\ud800二三"
    path, report = write(tool, [Record(text, (), (Mention("三", Span(3, 4), "数"),), "s")], tmp_path)
    (record,), _ = read(tool, path)
    assert record.entities == (Mention("三", Span(3, 4), "数"),)
    assert (record.text == text) != bool(report.lost)


@EVERY_TOOL
def test_scores_are_kept_or_counted(tool, tmp_path):
    scored = Record(
        "丽在京", (Triple(Mention("丽", Span(0, 1), "人"), "在", Mention("京", Span(2, 3), "地"), {}, 0.25),)
    )
    path, report = write(tool, [scored], tmp_path)
    ((found,),) = (record.triples for record in read(tool, path)[0])
    assert (found.score == 0.25) != (report.lost["scores of triples"] == 1)


@st.composite
def records(draw):
    text = draw(any_text().filter(lambda text: text.strip()))
    kinds = st.sampled_from(["人物", "", "A b", "x@y"])

    def one():
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        return Mention(text[start:end], Span(start, end), draw(kinds))

    names = st.sampled_from(["作者", "in", "a@b", "a"])
    triples = [
        Triple(one(), draw(names), one(), {slot: one() for slot in draw(st.sets(st.sampled_from(["inWork", "b"])))})
        for _ in range(draw(st.integers(0, 3)))
    ]
    return Record(text, tuple(triples), tuple(one() for _ in range(draw(st.integers(0, 2)))), "i")


@EVERY_TOOL
@settings(deadline=None, max_examples=30)
@given(record=records())
def test_whatever_does_not_come_back_is_counted(tool, record, tmp_path_factory):
    folder = tmp_path_factory.mktemp("any")
    path, written = write(tool, [record], folder)
    bad = []
    records, report = read(tool, path, on_bad_line=bad.append)
    if bad:  # what was drawn looks as if its offsets were counted in another unit
        assert "tear words apart" in bad[0].problem
        return
    (found,) = records
    same = found.text == record.text and found.triples == record.triples
    entities = set(record.entities) - {part for triple in record.triples for part in mentions(triple)}
    assert (same and set(found.entities) == entities) or written.lost or written.corrected or report.lost


def mentions(triple):
    return [triple.subject, *(part for _, part in triple.slots())]


BROKEN = {
    "empty": b"",
    "not JSON": b"{",
    "cut off": b'[{"text": "a", "tokens": ["a"], "entities": [',
    "a number": b"7",
    "a list of numbers": b"[1, 2]",
    "another encoding": '{"text": "今天", "entities": []}'.encode("gb18030"),
    "UTF-16": '{"text": "a"}'.encode("utf-16"),
    "nothing that is known": b'{"x": 1}',
    "wrong types": b'{"text": 1, "data": 2, "tokens": 3, "entities": 4, "sentences": 5, "spans": 6, "annotations": 7}',
    "null fields": b'{"text": "a", "data": {"text": "a"}, "tokens": ["a"], "entities": [null], "spans": [null], '
    b'"sentences": [["a"]], "ner": [null], "relations": [null], "annotations": [null]}',
}


@pytest.mark.parametrize("tool", ["doccano", "label-studio", "prodigy", "spert", "scierc"])
@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_an_error_or_set_aside(tool, name, tmp_path):
    path = tmp_path / "broken.jsonl"
    path.write_bytes(BROKEN[name])
    if name != "empty":
        with pytest.raises(DataFormatError, match=r"broken\.jsonl"):
            read(tool, path)
    bad = []
    try:
        found, _ = read(tool, path, on_bad_line=bad.append)
    except DataFormatError:
        return
    assert found == []
    assert len(bad) == (2 if name == "a list of numbers" else name != "empty")
    assert all(line.problem for line in bad)


@pytest.mark.parametrize("tool", [*WRITABLE, "scierc"])
def test_a_missing_file_is_named(tool, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read(tool, tmp_path / "nowhere.ann")


@pytest.mark.parametrize(
    ("tool", "length"), [("doccano", 500_000), ("label-studio", 500_000), ("prodigy", 20_000), ("spert", 20_000)]
)
def test_a_byte_order_mark_and_a_very_long_line_do_no_harm(tool, length, tmp_path):
    long = Record("白露" * length, (), (Mention("白", Span(0, 1), "人物"),), "long")
    path, _ = write(tool, [long], tmp_path)
    marked_file = tmp_path / "marked.json"
    marked_file.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert detect(marked_file).name == tool
    assert read(tool, marked_file)[0] == [long]


@pytest.mark.parametrize("tool", ["label-studio", "spert"])
def test_lists_may_be_lines_too(tool, tmp_path):
    expected = [one for one in RECORDS.values() if one.text != EMOJI]
    path, _ = write(tool, expected, tmp_path)
    lines = tmp_path / "lines.jsonl"
    rows = json.loads(path.read_text(encoding="utf-8"))
    lines.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert read(tool, lines)[0] == expected
    assert detect(lines).name == tool


@pytest.mark.parametrize(
    ("tool", "row"),
    [
        ("doccano", {"id": 3, "text": "Anna", "entities": [], "relations": [], "Comments": []}),
        ("doccano", {"id": 3, "data": "Anna", "label": [[0, 4, "PER"]]}),
        ("doccano", {"text": "Anna", "labels": [[0, 4, "PER"]]}),
        ("label-studio", {"id": 1, "data": {"text": "Anna"}, "annotations": []}),
        ("label-studio", {"id": 1, "data": {"body": "Anna"}, "completions": []}),
        ("label-studio", {"id": 1, "data": {"body": "Anna"}, "predictions": []}),
        ("label-studio", {"id": 1, "text": "Anna", "annotation_id": 2, "annotator": 1, "label": []}),
        ("prodigy", {"text": "Anna", "tokens": [], "spans": [], "relations": [], "answer": "accept"}),
        ("prodigy", {"text": "Anna", "spans": [{"start": 0, "end": 4, "token_end": 0, "label": "PER"}]}),
        ("spert", {"tokens": ["Anna"], "entities": [], "relations": [], "orig_id": 5}),
        ("scierc", {"clusters": [], "sentences": [["Anna"]], "ner": [[]], "relations": [[]], "doc_key": "x"}),
    ],
)
def test_rows_are_recognised_for_what_they_are(tool, row, tmp_path):
    path = tmp_path / "row.jsonl"
    path.write_text(json.dumps(row), encoding="utf-8")
    assert detect(path).name == tool


@pytest.mark.parametrize("tool", ["doccano", "label-studio", "prodigy", "spert", "scierc", "brat", "docbin"])
@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        "[1]",
        '{"text": "a", "triples": []}',
        '{"text": "a", "spo_list": []}',
        '{"text": "a"}',
        '{"text": "a", "label": "pos"}',
        '{"text": "a", "entities": "x", "relations": {}}',
        "text\tsubject\n",
    ],
)
def test_nothing_else_is_taken_for_a_tools_file(tool, content, tmp_path):
    path = tmp_path / "other.txt"
    path.write_text(content, encoding="utf-8")
    assert not find_format(tool).recognise(Sample(path))

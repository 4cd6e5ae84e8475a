"""Rows of the demo's tables."""

from hf_spo.demo.tables import preview_table, triples_table
from hf_spo.model.schema import Mention, Span, Triple
from tests.demo.demo_fakes import EVIL, TEXT, Pipe, triple

TRIPLE = triple(TEXT, "远山的灯", "主演", "周一鸣", inWork="林小川").to_dict()


def test_a_row_a_triple_with_headers_in_either_language():
    assert triples_table([TRIPLE], "en") == {
        "headers": [
            *("Subject", "Subject type", "Predicate", "Object", "Object type", "Qualifiers", "Score", "Offsets"),
        ],
        "data": [["远山的灯", "影视作品", "主演", "周一鸣", "人物", "inWork: 林小川", "0.90", "1–5, 13–16"]],
    }
    assert triples_table([], "zh")["headers"][:3] == ["主语", "主语类型", "关系"]
    assert triples_table([], "zh")["data"] == []


def test_preview_names_the_document():
    table = preview_table([("a.txt:1", TRIPLE)], "en")
    assert table["headers"][0] == "Document"
    assert table["data"] == [["a.txt:1", "远山的灯", "主演", "周一鸣", "inWork: 林小川", "0.90"]]


def test_nothing_turns_text_about_or_breaks_json():
    (found,) = Pipe(kind=EVIL, predicate=EVIL)._triples(EVIL)
    cells = [
        *triples_table([found.to_dict()], "en")["data"][0],
        *preview_table([(EVIL, found.to_dict())], "en")["data"][0],
    ]
    for cell in cells:
        assert cell.encode()
        assert not set(cell) & {"\u202e", "\x00", "\ud800"}
    assert "<script>" in cells[0]  # shown as text by a table of strings


def test_line_breaks_stay_in_their_row():
    text = "甲\n乙"
    found = Triple(Mention("甲\n乙", Span(0, 3)), "p", Mention("乙", Span(2, 3)), {}, 1.0)
    assert triples_table([found.to_dict()], "en")["data"][0][0] == text.replace("\n", " ")

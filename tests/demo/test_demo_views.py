"""What the demo shows of results."""

import json
from html.parser import HTMLParser

import pytest

from hf_spo.data import UnreadableRecord
from hf_spo.demo.file_extraction import Outcome
from hf_spo.demo.views import (
    MOST_FACTS,
    PageContent,
    Status,
    file_status,
    graph,
    preview_table,
    progress,
    sentence,
    triples_table,
)
from hf_spo.model.results import Triples
from hf_spo.model.schema import Mention, Span, Triple
from hf_spo.support.safe_text import encodable
from tests.demo.demo_fakes import EVIL, TEXT, Pipe, triple

pytestmark = pytest.mark.smoke

TRIPLES = Triples([triple(TEXT, "远山的灯", "主演", "周一鸣")], TEXT)


class Elements(HTMLParser):
    """Collects elements and attributes that would do something."""

    def __init__(self, html):
        super().__init__()
        self.wrong, self.text, self.graphs = [], "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.wrong += [tag] if tag in ("script", "img", "a", "iframe", "object") else []
        self.wrong += [name for name, _ in attrs if name.startswith("on") or name in ("href", "src")]
        self.graphs += [json.loads(value) for name, value in attrs if name == "data-graph"]

    def handle_data(self, data):
        self.text += data


def test_a_status_in_both_languages():
    status = Status("found", {"triples": 1, "model": "<b>", "seconds": "0.1"}, "done")
    assert status.html("en") == '<div class="status done" role="status">1 triple by &lt;b&gt; in 0.1 s</div>'
    assert "&lt;b&gt; 找到 1 个三元组" in status.html("zh")


def test_parts_of_what_was_found():
    status, drawn, table, picture, text = PageContent(Status("empty"), TRIPLES).parts("en")
    assert "Press" in status
    assert 'class="hf-spo"' in drawn
    assert len(table["data"]) == 1
    (data,) = Elements(picture).graphs
    assert [node["label"] for node in data["nodes"]] == ["远山的灯", "周一鸣"]
    assert (data["predicates"], data["types"]) == (["主演"], ["影视作品", "人物"])
    assert json.loads(text) == list(TRIPLES)


def test_parts_of_nothing():
    assert PageContent(Status("empty")).parts("zh")[1:] == (
        "",
        {**PageContent(Status("empty")).parts("zh")[2], "data": []},
        "",
        "",
    )


def test_dark_pages_are_known_by_their_class_and_texts_stay():
    text = "@media (prefers-color-scheme:dark){甲乙"
    drawn = sentence(Triples([triple(text, "甲", "p", "乙")], text))
    assert ".dark{" in drawn
    *_, shown = drawn.rpartition("</style>")
    assert "prefers-color-scheme" not in drawn.removesuffix(shown)
    assert "@media (prefers-color-scheme:dark){" in Elements(shown).text


def test_a_graph_that_has_not_all():
    names = [f"第{number}人" for number in range(MOST_FACTS + 1)]
    text = f"远山的灯{''.join(names)}"
    many = Triples([triple(text, "远山的灯", "主演", name) for name in names], text)
    assert f"{MOST_FACTS} of {MOST_FACTS + 1} facts" in graph(many, "en")
    assert "facts" not in graph(TRIPLES, "en")


def test_what_came_of_a_file():
    problems = [UnreadableRecord("a.txt", number, "no UTF-8", id=f"a.txt:{number}") for number in range(7)]
    outcome = Outcome("a.txt", documents=1000, triples=1, problems=problems, is_cut=True)
    html = file_status(outcome, "en")
    assert "a.txt: 1 triple in 1,000 documents" in html
    assert "Only the first 1,000 documents were read" in html
    assert "7 could not be read:" in html
    assert html.count("<li>") == 6
    assert html.endswith("<li>…</li></ul></div>")
    assert file_status(Outcome("b", 1), "zh") == '<div class="status done" role="status">b：1 条文本，0 个三元组</div>'


@pytest.mark.parametrize(("total", "bar"), [(None, ""), (10, '<progress max="10" value="3"></progress>')])
def test_progress(total, bar):
    html = progress(Outcome("a.txt", documents=2, problems=[UnreadableRecord("z", 0, "y", id="x")]), total, "en")
    assert html.startswith('<div class="status busy" role="status">3 documents read, 0 triples so far</div>')
    assert html.endswith(bar)


def test_hostile_text_is_text_and_can_be_sent():
    text = encodable(EVIL)
    found = Triples(Pipe(kind=EVIL, predicate=EVIL)._triples(text), text)
    status, drawn, _, picture, code = PageContent(Status("failed", {"reason": EVIL}), found).parts("en")
    outcome = file_status(Outcome(EVIL, problems=[UnreadableRecord(EVIL, 0, EVIL, id=EVIL)]), "en")
    for html in (status, drawn, outcome):
        assert html.encode()
        assert Elements(html).wrong == []
        assert "<script>" in Elements(html).text
    assert Elements(picture).wrong == []
    assert picture.encode()
    (data,) = Elements(picture).graphs
    assert "<script>" in data["nodes"][0]["label"]
    assert code.encode()
    assert json.loads(code) == list(found)


SLOTTED = triple(TEXT, "远山的灯", "主演", "周一鸣", inWork="林小川").to_dict()


def test_a_row_a_triple_with_headers_in_either_language():
    assert triples_table([SLOTTED], "en") == {
        "headers": [
            *("Subject", "Subject type", "Predicate", "Object", "Object type", "Qualifiers", "Score", "Offsets"),
        ],
        "data": [["远山的灯", "影视作品", "主演", "周一鸣", "人物", "inWork: 林小川", "0.90", "1–5, 13–16"]],
    }
    assert triples_table([], "zh")["headers"][:3] == ["主语", "主语类型", "关系"]
    assert triples_table([], "zh")["data"] == []


def test_preview_names_the_document():
    table = preview_table([("a.txt:1", SLOTTED)], "en")
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

"""The demo's picture of a graph."""

import re
from xml.etree import ElementTree

from hf_spo.demo.extraction import readable
from hf_spo.demo.graph_picture import MOST, graph_picture
from hf_spo.model.schema import Mention, Span, Triple
from tests.demo.demo_fakes import EVIL, TEXT, Pipe, triple

STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)


def draw(text, *triples):
    html, drawn, total = graph_picture(text, [one.to_dict() for one in triples])
    return ElementTree.fromstring(html.replace("xml:space", "space")), drawn, total


def texts(root):
    return [element.text for element in root.iter("text") if element.text]


def star(count):
    names = [f"第{number}人" for number in range(count)]
    text = f"远山的灯{''.join(names)}"
    return text, [triple(text, "远山的灯", "主演", name) for name in names]


def test_names_types_predicates_and_qualifiers():
    root, drawn, total = draw(TEXT, triple(TEXT, "远山的灯", "主演", "周一鸣", inWork="林小川"))
    assert (drawn, total) == (1, 1)
    assert texts(root) == ["主演", "inWork: 林小川", "远山的灯", "影视作品", "周一鸣", "人物"]
    assert [element.text for element in root.iter("title")] == [
        "远山的灯 — 主演 → 周一鸣\ninWork: 林小川", "远山的灯", "周一鸣",
    ]  # fmt: skip


def test_one_pair_has_one_line_for_all_its_predicates():
    root, drawn, _ = draw(TEXT, triple(TEXT, "远山的灯", "导演", "林小川"), triple(TEXT, "远山的灯", "主演", "林小川"))
    assert drawn == 2
    assert "导演 · 主演" in texts(root)
    assert len(list(root.iter("rect"))) == 2


def test_boxes_do_not_overlap_and_stay_inside():
    for count in (1, 5, 30):
        root, drawn, _ = draw(*[star(count)[0], *star(count)[1]])
        assert drawn == count
        svg = root.find("svg")
        width, height = map(float, svg.get("viewBox").split()[2:])
        boxes = [[float(box.get(name)) for name in ("x", "y", "width", "height")] for box in svg.iter("rect")]
        assert len(boxes) == count + 1
        for index, (x, y, w, h) in enumerate(boxes):
            assert x >= 0
            assert x + w <= width
            assert y >= 0
            assert y + h <= height
            for other_x, other_y, other_w, other_h in boxes[index + 1 :]:
                apart = x + w <= other_x or other_x + other_w <= x or y + h <= other_y or other_y + other_h <= y
                assert apart


def test_both_directions_and_self_reference():
    text = "甲乙"
    one, two = Mention("甲", Span(0, 1), "人物"), Mention("乙", Span(1, 2), "人物")
    root, drawn, _ = draw(
        text, Triple(one, "丈夫", two, {}, 0.9), Triple(two, "妻子", one, {}, 0.9), Triple(one, "别名", one, {}, 0.9)
    )
    assert drawn == 3
    assert [text for text in texts(root) if len(text) == 2 and text != "人物"] == ["丈夫", "妻子", "别名"]
    assert len(list(root.iter("rect"))) == 3


def test_of_very_many_facts_some_are_drawn():
    count = MOST + 20
    root, drawn, total = draw(*[star(count)[0], *star(count)[1]])
    assert (drawn, total) == (MOST, count)
    assert len(list(root.iter("rect"))) == MOST + 1


def test_long_names_are_cut_and_told_in_full():
    text = "长" * 40 + "短"
    root, _, _ = draw(text, triple(text, "长" * 40, "很长的关系" * 9, "短"))
    assert max(map(len, texts(root))) <= 15
    assert any(element.text == "长" * 40 for element in root.iter("title"))


def test_hostile_text_is_text():
    text = readable(EVIL)
    root, drawn, _ = draw(text, *Pipe(kind=EVIL, predicate=EVIL)._triples(text))
    assert drawn == 1
    assert {element.tag for element in root.iter()} == {"div", "style", "svg", "g", "title", "path", "text", "rect"}
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)


def test_no_triples_no_picture():
    html, drawn, total = graph_picture("无", [])
    assert STYLE.sub("", html) == '<div class="hf-spo-graph"></div>'
    assert (drawn, total) == (0, 0)

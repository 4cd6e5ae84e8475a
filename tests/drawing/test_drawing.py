"""Pictures of triples: what is in them, that it is where it belongs, and that no text can break them."""

import re
from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_spo import Mention, Span, Triple, render
from hf_spo.drawing import page
from hf_spo.drawing.colours import DARK, LIGHT
from hf_spo.drawing.connector_layout import Connector, Leg, arrange, fitted
from hf_spo.drawing.marking import OBJECT, QUALIFIER, SUBJECT, Part, marking, score_text
from hf_spo.drawing.text import is_right_to_left, lines, shortened, text_width
from hf_spo.drawing.text_layout import FONT, layout
from hf_spo.support.safe_text import printable_line
from tests import builders
from tests.strict_html import StrictPage

SVG = "{http://www.w3.org/2000/svg}"
FILM = "《远山的灯》由林小川执导，周一鸣、何雨晴主演。"


def at(text, part, kind="", nth=0):
    start = -1
    for _ in range(nth + 1):
        start = text.index(part, start + 1)
    return Mention(part, Span(start, start + len(part)), kind)


def fact(text, subject, predicate, value, score=0.5, **qualifiers):
    found = {slot: at(text, part) for slot, part in qualifiers.items()}
    return Triple(at(text, subject, "作品"), predicate, at(text, value, "人物"), found, score)


def tree(svg):
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    return root


def sentence(svg):
    """Return the lines of the text, as they can be selected."""
    return [
        "".join(line.itertext()) for line in tree(svg).findall(f"{SVG}text") if line.find(f"{SVG}tspan") is not None
    ]


def labels(svg):
    """Return what every connector says."""
    found = []
    for group in tree(svg).iter(f"{SVG}g"):
        if group.find(f"{SVG}title") is not None:
            found.append(" ".join("".join(text.itertext()) for text in group.iter(f"{SVG}text")))
    return sorted(found)


FACTS = [
    fact(FILM, "远山的灯", "导演", "林小川", 0.97),
    fact(FILM, "远山的灯", "主演", "周一鸣", 0.91),
    fact(FILM, "远山的灯", "主演", "何雨晴", 0.92),
]


@pytest.mark.smoke
class TestWhatIsDrawn:
    def test_sentence_labels_scores_and_types(self):
        svg = render(FILM, FACTS, "svg")
        assert "".join(sentence(svg)) == FILM
        assert labels(svg) == ["主演 0.91–0.92", "导演 0.97"]
        assert {"作品", "人物"} <= {text.text for text in tree(svg).iter(f"{SVG}text")}

    def test_dictionaries_are_drawn_as_triples_are(self):
        assert render(FILM, [triple.to_dict() for triple in FACTS]) == render(FILM, FACTS)

    def test_a_reader_who_points_at_a_label_gets_whole_triples(self):
        titles = {title.text for title in tree(render(FILM, FACTS, "svg")).iter(f"{SVG}title")}
        assert "远山的灯 — 主演 → 周一鸣  0.91\n远山的灯 — 主演 → 何雨晴  0.92" in titles

    def test_predicates_of_the_same_two_share_a_connector(self):
        both = [fact(FILM, "远山的灯", "编剧", "林小川", None), FACTS[0]]
        assert labels(render(FILM, both, "svg")) == ["编剧 · 导演 0.97"]

    def test_several_subjects_of_one_object_share_a_connector(self):
        turned = [fact(FILM, name, "作品", "远山的灯") for name in ("周一鸣", "何雨晴", "林小川")]
        assert labels(render(FILM, turned, "svg")) == ["作品 0.50"]

    def test_qualifiers_lead_on_from_the_object(self):
        found = marking(FILM, [fact(FILM, "远山的灯", "主演", "周一鸣", onDate="何雨晴")])
        relation, qualifier = found.edges
        assert qualifier.slot == "onDate"
        assert [pair[1] for pair in relation.triples] == [pair[0] for pair in qualifier.triples]
        assert labels(render(FILM, found.triples, "svg")) == ["onDate", "主演 0.50"]

    def test_what_stands_nowhere_is_listed(self):
        absent = Triple(Mention("无处"), "职业", Mention("歌手", None, "职业"), {"期间": Mention("今年")})
        for style in ("svg", "html"):
            drawing = render(FILM, [absent], style)
            for part in ("not placed in the text", "无处", "职业", "歌手", "今年"):
                assert part in drawing
        assert labels(render(FILM, [absent], "svg")) == []

    def test_a_qualifier_that_stands_nowhere_is_in_the_label(self):
        one = Triple(FACTS[0].subject, "导演", FACTS[0].object, {"期间": Mention("今年")})
        assert labels(render(FILM, [one], "svg")) == ["导演 (期间: 今年)"]

    @pytest.mark.parametrize("text", [FILM, ""])
    def test_no_triples(self, text):
        svg = render(text, [], "svg")
        assert "".join(sentence(svg)) == text
        assert "no triples" in svg
        assert "no triples" in render(text, [])

    def test_an_empty_mention_is_no_mark(self):
        empty = Triple(Mention("", Span(2, 2)), "导演", FACTS[0].object)
        assert [mark.span for mark in marking(FILM, [empty]).marks] == [FACTS[0].object.span]

    def test_equal_subject_and_object(self):
        assert labels(render(FILM, [Triple(FACTS[0].subject, "别名", FACTS[0].subject)], "svg")) == ["远山的灯 别名"]


NESTED = "《鲁迅自传》是鲁迅写的，由人民文学出版社出版。"
BOOK = [
    Triple(at(NESTED, "鲁迅自传", "图书"), "作者", at(NESTED, "鲁迅", "人物", 1)),
    Triple(at(NESTED, "鲁迅自传", "图书"), "主角", at(NESTED, "鲁迅", "人物")),
    Triple(at(NESTED, "自传》是", "怪"), "类型", at(NESTED, "出版社", "机构")),
]


class TestMarks:
    def test_what_contains_or_overlaps_is_drawn_around(self):
        (row,) = layout(marking(NESTED, BOOK), 760).rows
        boxes = {NESTED[box.mark.span.start : box.mark.span.end]: box for box in row.boxes if box.mark.span.start < 6}
        assert [boxes[name].level for name in ("鲁迅", "鲁迅自传", "自传》是")] == [0, 1, 2]
        inner, outer = boxes["鲁迅"], boxes["鲁迅自传"]
        assert outer.y < inner.y
        assert outer.y + outer.height > inner.y + inner.height
        assert outer.x < inner.x
        # The outer ones are behind.
        assert [box.level for box in row.boxes] == sorted((box.level for box in row.boxes), reverse=True)

    def test_a_leg_meets_the_outer_mark_beside_the_inner_one(self):
        (row,) = layout(marking(NESTED, BOOK), 760).rows
        author = next(one for one in row.connectors if one.label[0].text == "作者")
        (leg,) = (leg for leg in author.legs if leg.is_source)
        assert leg.x > 3 * FONT  # behind 《鲁迅

    def test_captions_do_not_run_into_each_other(self):
        text = "AB CD EF"
        found = marking(
            text, [Triple(at(text, "AB", "organization"), "p", at(text, "CD", "organization")),
                   Triple(at(text, "EF", "organization"), "p", at(text, "CD", "organization"))]
        )  # fmt: skip
        (row,) = layout(found, 760).rows
        assert len(row.captions) == 3
        for one, other in combinations(row.captions, 2):
            assert one.y != other.y or one.x + one.width < other.x or other.x + other.width < one.x

    def test_roles_have_colours_and_two_roles_have_both(self):
        text = "甲乙丙丁"
        chain = [fact(text, "甲", "p", "乙"), fact(text, "乙", "p", "丙", q="丁")]
        fills = [path.get("fill") for path in tree(render(text, chain, "svg")).iter(f"{SVG}path")]
        assert LIGHT.fills[OBJECT] in fills  # the lower half of 乙
        boxes = [rect.get("fill") for rect in tree(render(text, chain, "svg")).iter(f"{SVG}rect")]
        assert boxes.count(LIGHT.fills[SUBJECT]) == 2
        assert LIGHT.fills[QUALIFIER] in boxes


LONG = FILM + "影片在" + "很长很长的" * 20 + "首映式上，" + "许多观众" * 10 + "都说马一诺演得好。"
FAR = [*FACTS, fact(LONG, "远山的灯", "主演", "马一诺"), fact(LONG, "马一诺", "代表作", "远山的灯")]


class TestSeveralLines:
    def test_a_flag_names_the_subject_and_a_hint_tells_of_it(self):
        svg = render(LONG, FAR, "svg", width=400)
        found = labels(svg)
        assert "远山的灯 主演 0.50" in found
        assert "马一诺 代表作 0.50" in found
        assert "主演 ↓" in found
        assert "代表作 ↑" in found
        assert "".join(sentence(svg)) == LONG

    def test_many_sources_are_counted(self):
        text = "甲子、乙丑、丙寅、丁卯、戊辰。" + "话说" * 40 + "歌手是白露"
        songs = [fact(text, name, "歌手", "白露") for name in ("甲子", "乙丑", "丙寅", "丁卯", "戊辰")]
        assert "甲子 乙丑 丙寅 +2 歌手 0.50" in labels(render(text, songs, "svg", width=400))

    def test_a_qualifier_elsewhere_is_named_by_its_object(self):
        text = "远山的灯的票房是五亿，" + "话说" * 40 + "那是去年。"
        svg = render(text, [fact(text, "远山的灯", "票房", "五亿", onDate="去年")], "svg", width=400)
        assert labels(svg) == ["五亿 onDate", "票房 0.50"]

    def test_a_mention_that_is_broken_is_marked_on_both_lines(self):
        text = "一" * 15 + "二" * 30
        picture = layout(marking(text, [fact(text, "一一一", "p", "二" * 30)]), 400)
        spans = [[len(box.mark.span) for box in row.boxes] for row in picture.rows]
        assert spans == [[3, 30], [30], [30]] or spans == [[3, 30], [30]]

    def test_a_short_mention_is_not_broken(self):
        text = "一" * 18 + "二二二二二" + "三" * 10
        for width in range(300, 420, 10):
            picture = layout(marking(text, [fact(text, "一一一", "p", "二二二二二")]), width)
            assert sum(len(row.boxes) for row in picture.rows) == 2


@pytest.mark.smoke
class TestLanes:
    def test_no_two_share_a_place(self):
        words = [f"词{number:02}" for number in range(12)]
        text = "，".join(words)
        many = [fact(text, words[a], f"谓词{a}", words[b]) for a, b in combinations(range(12), 2) if (a * b) % 3 == 1]
        for width in (320, 760, 1200):
            for row in layout(marking(text, many), width).rows:
                for one, other in combinations(row.connectors, 2):
                    if one.lane == other.lane:
                        assert one.extent[1] <= other.extent[0] or other.extent[1] <= one.extent[0]

    def test_everything_stays_in_the_picture(self):
        text = "首" + "，" * 40 + "末"
        long = fact(text, "首", "一个特别特别长的谓词" * 10, "末")
        for width in (160, 400, 1200):
            for row in layout(marking(text, [long]), width).rows:
                for connector in row.connectors:
                    low, high = connector.extent
                    assert low >= 0
                    assert high <= width

    def test_many_legs_on_one_mark_share_stems(self):
        legs = [[Leg(0, True), Leg(number, False)] for number in range(1, 9)]
        many = [Connector(pair, (Part("p", "name"),), 0, (0,)) for pair in legs]
        arrange(many, {0: (0.0, 20.0), **{number: (40.0 * number, 40.0 * number + 20) for number in range(1, 9)}}, 700)
        assert len({pair[0].x for pair in legs}) == 1

    def test_rails_of_one_mark_do_not_cross_its_legs(self):
        legs = [[Leg(0, True), Leg(number, False)] for number in range(1, 4)]
        arcs = [Connector(pair, (Part("p", "name"),), 0, (0,)) for pair in legs]
        arrange(arcs, {0: (0.0, 60.0), 1: (100.0, 120.0), 2: (300.0, 320.0), 3: (500.0, 520.0)}, 700)
        assert [arc.lane for arc in arcs] == [0, 1, 2]
        assert legs[2][0].x < legs[1][0].x < legs[0][0].x

    def test_a_label_gives_way_to_a_leg(self):
        low = Connector([Leg(0, True), Leg(1, False)], (Part("主演", "name"),), 0, (0,))
        high = Connector([Leg(2, True), Leg(3, False)], (Part("导演", "name"),), 0, (1,))
        arrange([low, high], {0: (0, 0), 1: (300, 300), 2: (150, 150), 3: (700, 700)}, 800)
        assert high.lane > low.lane
        assert not low.x < 150 < low.x + low.width

    def test_labels_are_cut_to_the_line(self):
        label = [*(Part(name, "source") for name in ("甲" * 20, "乙", "丙", "丁")), Part("谓词" * 50, "name")]
        assert [part.text for part in fitted(label, 10_000)][:4] == ["甲" * 8 + "…", "乙", "丙", "+1"]
        cut = fitted(label, 300)
        assert cut[0].kind == "source"
        assert cut[-1].text.endswith("…")

    def test_scores(self):
        assert score_text([]) == score_text([None]) == ""
        assert score_text([0.5, None]) == score_text([0.5, 0.501]) == "0.50"
        assert score_text([0.9, 0.25, 1.0]) == "0.25–1.00"


class TestWidths:
    def test_wide_narrow_and_none(self):
        assert text_width("灯") == 1
        assert text_width("i") < text_width("n") < text_width("W") <= 1
        assert text_width("é") == text_width("e\u0301") == text_width("e")
        assert text_width("👨\u200d👩\u200d👧") == text_width("👍🏽") == text_width("👍") == text_width("🇨🇳")
        assert text_width("\u200b\ufeff\n\r") == 0
        assert text_width("Ж") > text_width("ж") > 0
        assert text_width("\x00") == text_width("\u202e") == text_width("\t") == 1

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("今天天气很好，适合散步。", ["今天天气", "很好，适", "合散步。"]),
            ("天天天天，好", ["天天天", "天，好"]),
            ("天天天《好》", ["天天天", "《好》"]),
            ("an old lighthouse", ["an old ", "lighthou", "se"]),
            ("one\ntwo\n\n", ["one\n", "two\n", "\n"]),
            ("e" + "\u0301" * 9 + "nnnnnnnn", ["e" + "\u0301" * 9 + "nnnnn", "nnn"]),
            ("", [""]),
        ],
    )
    def test_lines(self, text, expected):
        assert [text[span.start : span.end] for span in lines(text, 4)] == expected

    def test_kept_spans_are_broken_last(self):
        assert lines("一二三四五", 4, [Span(2, 5)]) == [Span(0, 2), Span(2, 5)]
        assert lines("一二三四五", 4, [Span(0, 5)]) == [Span(0, 4), Span(4, 5)]

    def test_shortened(self):
        assert shortened("远山的灯", 4) == "远山的灯"
        assert shortened("远山的灯塔", 4) == "远山的…"
        assert shortened("灯塔", 0.5) == "…"

    def test_direction(self):
        assert is_right_to_left("123 שלום abc")
        assert not is_right_to_left("abc שלום")
        assert not is_right_to_left("")


def test_right_to_left_begins_at_the_right():
    text = "מריה נולדה בעיר ורשה"
    svg = render(text, [fact(text, "מריה", "מקום לידה", "ורשה")], "svg")
    places = {span.text: float(span.get("x")) for span in tree(svg).iter(f"{SVG}tspan")}
    assert places["מריה"] > places["ורשה"]
    assert all(line.get("direction") == "rtl" for line in tree(svg).findall(f"{SVG}text"))


HOSTILE = (
    """</text></svg></style><script>alert(1)</script>"' onload="x" &amp; ]]> --> \x00\x1b[31m \ud800 \u202e \uffff"""
)


class TestMarkup:
    def test_hostile_texts_are_text(self):
        whole = Mention(HOSTILE, Span(0, len(HOSTILE)), HOSTILE)
        triples = [Triple(whole, HOSTILE, at(HOSTILE, "alert", HOSTILE), {HOSTILE: whole}, 0.5)]
        svg = render(HOSTILE, triples, "svg")
        tree(svg)
        html = StrictPage(render(HOSTILE, triples))
        assert "script" not in html.tags
        assert not [name for name, _ in html.attributes if name.startswith("on")]
        for text in (svg, "".join(page([(HOSTILE, triples)], title=HOSTILE))):
            text.encode()
            assert not re.search("[\x00-\x08\x0b\x1b\u202e\uffff]", text)

    @given(builders.any_text(), st.data())
    @settings(max_examples=60, deadline=None)
    def test_any_text_and_any_spans(self, text, data):
        def mention():
            start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
            return Mention(text[start:end], Span(start, end), data.draw(st.sampled_from(["", "人物", "T" * 30])))

        count = data.draw(st.integers(0, 4))
        triples = [Triple(mention(), text, mention(), {"slot": mention()}, 0.5) for _ in range(count)]
        svg = render(text, triples, "svg", width=data.draw(st.sampled_from([160, 760])))
        tree(svg)
        StrictPage(render(text, triples))
        expected = [printable_line(text[span.start : span.end].rstrip()) for span in lines(text, 1e9)]
        # White space goes where a line is broken, and some of it is a control character, which is shown as U+FFFD.
        drawn, stated = (re.sub(r"[\s\ufffd]", "", "".join(parts)) for parts in (sentence(svg), expected))
        assert drawn == stated

    def test_drawings_on_one_page_have_nothing_to_clash(self):
        both = "".join(page([(FILM, FACTS), (FILM, FACTS[:1]), (LONG, FAR), ("", [])]))
        html = StrictPage(both)
        assert "id" not in {name for name, _ in html.attributes}
        # What a style sheet has is for drawings alone.
        for sheet in re.findall(r"<style>(.*?)</style>", render(FILM, FACTS), re.DOTALL):
            for selector in re.findall(r"([^{}]+)\{", sheet):
                assert all(part.strip().startswith((".hf-spo", "@")) for part in selector.split(","))

    def test_needs_no_script_and_no_other_file(self):
        for text in (render(FILM, FACTS), render(FILM, FACTS, "svg"), "".join(page([(FILM, FACTS)]))):
            assert "<script" not in text
            assert "url(" not in text
            assert not re.search(r"\b(src|href)=", text)

    def test_is_the_same_every_time(self):
        assert render(LONG, FAR) == render(LONG, FAR)

    def test_a_list_stands_below(self):
        html = StrictPage(render(FILM, [fact(FILM, "远山的灯", "主演", "周一鸣", 0.91, onDate="何雨晴")]))
        text = " ".join("".join(html.shown).split())
        assert text.endswith("1 triple远山的灯 作品主演 →周一鸣 人物 onDate: 何雨晴 0.91")

    def test_narrow_windows_have_a_picture_of_their_own(self):
        assert StrictPage(render(LONG, FAR)).tags.count("svg") == 2
        assert StrictPage(render("白露", [])).tags.count("svg") == 1

    def test_a_page_knows_every_triple_that_is_pointed_at(self):
        text = "".join(page([(FILM, FACTS[:1]), (FILM, FACTS), (FILM, FACTS)], title="灯"))
        assert text.startswith("<!DOCTYPE html>")
        assert "<title>灯</title>" in text
        for number in range(3):
            assert text.count(f":has(.hs-t{number}:hover)") == 1

    def test_colours_can_be_read(self):
        def luminance(colour):
            parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
            linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

        def contrast(one, other):
            low, high = sorted((luminance(one), luminance(other)))
            return (high + 0.05) / (low + 0.05)

        for palette in (LIGHT, DARK):
            for colour in (palette.ink, palette.soft, *palette.strokes.values(), *palette.predicates):
                assert contrast(colour, palette.paper) >= 4.5
            for fill in palette.fills.values():
                assert contrast(palette.ink, fill) >= 4.5


class TestWhatIsRefused:
    @pytest.mark.parametrize("style", ["png", "SVG", None])
    def test_style(self, style):
        with pytest.raises(ValueError, match=r"expected 'html' or 'svg'"):
            render(FILM, FACTS, style)

    def test_width(self):
        with pytest.raises(ValueError, match="at least 160 pixels"):
            render(FILM, FACTS, width=100)
        with pytest.raises(ValueError, match="at least 160 pixels"):
            next(page([], width=100))

    def test_text(self):
        with pytest.raises(TypeError, match=r"expected the text .*NoneType"):
            render(None, FACTS)

    @pytest.mark.parametrize(
        ("triple", "problem"),
        [
            ({"subject": {"text": "灯"}}, r"triples\[1\].predicate: expected a string, got nothing"),
            ("灯", r"triples\[1\]: expected an object with"),
            (
                {**FACTS[0].to_dict(), "subject": {"text": "灯", "start": 3}},
                r"triples\[1\].subject.end: expected a whole number, got nothing",
            ),
            (
                Triple(Mention("灯", Span(0, 1)), "p", Mention("")),
                r"triples\[1\].(subject|object): text\[0:1\] is '《', not '灯'",
            ),
            (
                Triple(Mention("灯"), "p", Mention("x", Span(90, 91))),
                r"triples\[1\].(subject|object): text\[90:91\] is '', not 'x'",
            ),
        ],
    )
    def test_triples(self, triple, problem):
        with pytest.raises(ValueError, match=problem):
            render(FILM, [FACTS[0], triple])
        with pytest.raises(ValueError, match=f"text 2: {problem}"):
            "".join(page([(FILM, []), (FILM, [FACTS[0], triple])]))

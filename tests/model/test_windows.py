"""Windows: every token of a text is read, sentences stay whole where they can, triples go back to their place."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_spo.model.alignment import encode
from hf_spo.model.schema import Example, Mention, Triple
from hf_spo.model.windows import Borders, Window, WindowSize, join, pieces, split
from tests import builders
from tests.builders import EVERY_TOKENIZER, any_text, mention


def stretches(text, usual, limit=40, stride=0, tokenizer=None):
    """Return the strings that the windows of a text hold."""
    (encoding,) = encode(tokenizer or builders.TOKENIZERS["wordpiece cased"], [text])
    found = split(0, encoding, WindowSize(usual, limit, stride))
    for window in found:
        assert text[window.start : window.start + len(window.encoding.text)] == window.encoding.text
    return [window.encoding.text for window in found]


class TestSentences:
    def test_a_short_text_is_one_window(self):
        assert stretches("白露。晚风。", 6) == ["白露。晚风。"]

    def test_as_many_as_fit_are_read_together(self):
        assert stretches("白露。晚风。海边。", 6) == ["白露。晚风。", "海边。"]

    def test_a_long_one_has_a_window_of_its_own(self):
        assert stretches("白露。晚风海边晚风海边。海边。", 6) == ["白露。", "晚风海边晚风海边。", "海边。"]

    @pytest.mark.parametrize(
        "text",
        [
            "白露！|晚风？！|海边",
            "“白露。”|晚风……|海边",
            "白露\n|晚风\r\n\n|海边",
            "（白露。）|晚风",
            'I am.|"So. |We."',
        ],
    )
    def test_end_with_their_marks_and_what_closes_after_them(self, text):
        parts = [part.strip() for part in text.split("|")]
        assert [found.strip() for found in stretches(text.replace("|", " " if "I" in text else ""), 1)][-1] == parts[-1]

    @pytest.mark.parametrize("text", ["3.5", "www.a.b", "a.b.c"])
    def test_do_not_end_with_a_full_stop_inside(self, text):
        assert stretches(text, 1) == [text]

    def test_are_shared_up_to_the_stride(self):
        assert stretches("白露。晚风。海边。雪国。", 6, stride=3) == ["白露。晚风。", "晚风。海边。", "海边。雪国。"]

    def test_are_not_shared_where_a_window_would_say_nothing_new(self):
        text = "白露。晚风。海边海边海边。雪国。"
        assert stretches(text, 6, stride=3) == ["白露。晚风。", "海边海边海边。", "雪国。"]


class TestPieces:
    def test_make_up_the_text_between_sentences(self):
        text = "白露。晚风，海边。" * 5 + "海" * 30
        found = list(pieces(3, text, 12))
        assert "".join(piece.content for piece in found) == text
        assert all(text[piece.start :].startswith(piece.content) for piece in found)
        assert [piece.content.endswith("。") for piece in found] == [True] * 4 + [False] * (len(found) - 4)
        assert all(len(piece.content) <= 12 and piece.text_index == 3 and piece.whole is text for piece in found)
        assert [piece.is_last for piece in found] == [False] * (len(found) - 1) + [True]

    @pytest.mark.parametrize("text", ["", "白露"])
    def test_a_short_text_is_one(self, text):
        (piece,) = pieces(0, text, 12)
        assert piece.content == text
        assert piece.is_last


class TestOverlongSentences:
    def test_are_parted_at_commas_and_share_a_piece(self):
        assert stretches("白露白露，晚风晚风，海边海边", 4, limit=10, stride=4) == [
            "白露白露，晚风晚风，",
            "晚风晚风，海边海边",
        ]

    def test_words_stay_whole(self):
        for part in stretches("blue Anna blue Anna blue Anna blue Anna", 2, limit=9):
            assert set(part.split()) <= {"blue", "Anna"}

    def test_a_word_longer_than_a_window_is_cut(self):
        assert all(len(part) <= 8 for part in stretches("zqxzqxzqxzqxzqxzqx", 4, limit=8))

    def test_mentions_at_a_torn_border_are_left_to_the_other_window(self):
        (encoding,) = encode(builders.TOKENIZERS["wordpiece cased"], ["白露白露白露白露白露白露"])
        first, second, *_ = split(0, encoding, WindowSize(4, 8, 4))
        assert first.torn == (False, True)
        assert second.torn[0]
        text = first.encoding.text
        inside, torn = (Triple(mention(text, "白", "a", nth), "p", mention(text, "露", "b", nth)) for nth in (0, 3))
        assert first.place([inside, torn]) == [inside]


class TestTriples:
    def window(self, start):
        (encoding,) = encode(builders.TOKENIZERS["wordpiece cased"], ["白露唱晚风"])
        return Window(0, encoding, start)

    triple = Triple(
        mention("白露唱晚风", "白露", "a"),
        "p",
        mention("白露唱晚风", "晚风", "b"),
        {"x": mention("白露唱晚风", "唱", "c")},
        0.5,
    )

    def test_move_to_their_place_and_back(self):
        (moved,) = self.window(7).place([self.triple])
        assert [part.span.start for part in (moved.subject, moved.object, moved.qualifiers["x"])] == [7, 10, 9]
        whole = Example("." * 7 + "白露唱晚风" + "." * 3, (moved,))
        assert self.window(7).part_of(whole) == Example("白露唱晚风", (self.triple,))

    def test_of_an_example_those_without_a_place_stay_and_those_elsewhere_go(self):
        free = Triple(Mention("白露", None, "a"), "p", Mention("晚风", None, "b"))
        whole = Example("白露唱晚风" + "白露唱晚风", (self.triple, free))
        assert self.window(5).part_of(whole).triples == (free,)
        assert self.window(0).part_of(Example("白露唱晚风", (self.triple,))).triples == (self.triple,)

    def test_the_best_score_of_equal_ones_is_kept(self):
        better = replace(self.triple, score=0.75)
        assert join([[self.triple], [better], [self.triple]]) == [better]


@EVERY_TOKENIZER
@settings(derandomize=True, deadline=None, max_examples=80)
@given(text=any_text(), usual=st.integers(1, 12), limit=st.integers(1, 12), stride=st.integers(0, 6))
def test_every_token_is_read_and_no_window_is_too_long(tokenizer, text, usual, limit, stride):
    (encoding,) = encode(tokenizer, [text])
    before, after = encoding.specials
    count = len(encoding) - before - after
    usual = min(usual, limit)
    size = WindowSize(usual, limit, min(stride, usual // 2))
    read = 0
    for first, last in Borders(encoding, before, count).cut(size):
        assert first <= read < last or not count
        assert last - first <= limit
        read = last
    assert read == count
    for window in split(7, encoding, size):
        inner = window.encoding
        assert window.text_index == 7
        assert inner.input_ids[:before].tolist() == encoding.input_ids[:before].tolist()
        assert inner.input_ids[len(inner) - after :].tolist() == encoding.input_ids[len(encoding) - after :].tolist()
        assert text[window.start : window.start + len(inner.text)] == inner.text
        assert (inner.offsets >= 0).all()
        assert (inner.offsets[inner.pointable] <= len(inner.text)).all()

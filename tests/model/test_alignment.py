"""Alignment: every character range that leaves the package is one of the user's own string."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_spo.model import alignment
from hf_spo.model.alignment import Encoding, Misalignment, TokenSpan, encode, pad
from hf_spo.model.schema import Span
from tests import builders
from tests.builders import EVERY_TOKENIZER, TOKENIZERS, any_text


def encoded(tokenizer, text: str, max_length: int = 512) -> Encoding:
    return encode(tokenizer, [text], max_length)[0]


def read_back(tokenizer, text: str, part: str, nth: int = 0) -> str | Misalignment:
    """Look a part of a text up as tokens, and slice the text by what those tokens cover."""
    encoding = encoded(tokenizer, text)
    span = builders.mention(text, part, "", nth).span
    tokens = encoding.token_span(span)
    if isinstance(tokens, Misalignment):
        return tokens
    found = encoding.char_span(tokens.start, tokens.end)
    assert found == span
    return text[found.start : found.end]


# What must be found exactly, whatever the tokenizer.
EVERYWHERE = {
    "plain Chinese": ("歌曲《晚风》由白露演唱", "晚风"),
    "first word": ("白露演唱了《晚风》", "白露"),
    "first character": ("读完《鲁迅自传》", "读"),
    "last word": ("演唱的是白露", "白露"),
    "whole text": ("白露", "白露"),
    "谥, which no vocabulary here has": ("他谥文正", "谥"),
    "between unknown characters": ("谥白露琏", "白露"),
    "琏 in a name": ("贾琏住在北京", "贾琏"),
    "emoji between spaces": ("晚风 😀 好听", "😀"),
    "emoji before Chinese": ("😀晚风", "😀"),
    "after emoji outside the BMP": ("😀😀 晚风", "晚风"),
    "符箓": ("道士画符箓驱邪", "符箓"),
    "full-width digits": ("成立于 １９９８ 年", "１９９８"),
    "full-width letters": ("公司 ＡＢＣ 成立", "ＡＢＣ"),
    "after CRLF": ("第一行\r\n晚风", "晚风"),
    "before CRLF": ("晚风\r\n第二行", "晚风"),
    "around a tab": ("歌曲\t晚风\t白露", "晚风"),
    "around full-width spaces": ("歌曲\u3000晚风\u3000白露", "晚风"),
    "after many spaces": ("歌曲     晚风", "晚风"),
    "after leading spaces": ("  晚风", "晚风"),
    "before trailing spaces": ("歌曲晚风 \n ", "晚风"),
    "across a space": ("Anna Lind directed it", "Anna Lind"),
    "across a line break": ("Anna\r\nLind directed it", "Anna\r\nLind"),
    "composed accent": ("Zoë Müller wurde geboren", "Zoë Müller"),
    "decomposed accent in the word": ("Zoe\u0308 Mu\u0308ller wurde", "Mu\u0308ller"),
    "decomposed accent at the end": ("im cafe\u0301 dort", "cafe\u0301"),
    "two marks on one letter": ("das o\u0308\u0323 dort", "o\u0308\u0323"),
    "variation selector": ("I ❤\ufe0f you", "❤\ufe0f"),
    "family of emoji with joiners": ("die 👨\u200d👩\u200d👧 da", "👨\u200d👩\u200d👧"),
    "skin tone": ("ein 👍🏽 da", "👍🏽"),
    "lone surrogate elsewhere": ("坏\ud800字 晚风", "晚风"),
    "text that looks like a special token": ("标记 [SEP] 晚风", "[SEP]"),
    "after what looks like a special token": ("标记 [MASK] 晚风", "晚风"),
    "kana": ("ホテルは東京にある", "東京"),
}


@EVERY_TOKENIZER
@pytest.mark.parametrize(("text", "part"), EVERYWHERE.values(), ids=EVERYWHERE.keys())
def test_mention_is_found_as_itself(tokenizer, text, part):
    assert read_back(tokenizer, text, part) in (part, Misalignment.UNKNOWN_RUN)


@pytest.mark.parametrize(
    "name", ["wordpiece cased", "wordpiece uncased", "byte-level", "byte-level trimmed", "byte-level prefixed"]
)
@pytest.mark.parametrize(("text", "part"), EVERYWHERE.values(), ids=EVERYWHERE.keys())
def test_mention_is_found_where_vocabulary_or_word_borders_allow_it(name, text, part):
    assert read_back(TOKENIZERS[name], text, part) == part


@EVERY_TOKENIZER
def test_five_features_of_the_source_align(tokenizer):
    for item in builders.EXAMPLES:
        assert builders.gold_labels(item, tokenizer)


@EVERY_TOKENIZER
def test_repeated_characters_keep_their_own_place(tokenizer):
    text = "晚风晚风"
    for nth in (0, 1):
        assert encoded(tokenizer, text).token_span(Span(2 * nth, 2 * nth + 2)) is not None
        assert read_back(tokenizer, text, "晚风", nth) == "晚风"


@pytest.mark.parametrize("name", ["wordpiece uncased", "unigram"])
def test_marks_that_a_normaliser_drops_or_composes_belong_to_their_letter(name):
    text = "u\u0308 ist"
    encoding = encoded(TOKENIZERS[name], text)
    assert encoding.token_span(Span(0, 2)) == TokenSpan(*[np.flatnonzero(encoding.pointable)[0]] * 2)
    assert encoding.token_span(Span(0, 1)) in (Misalignment.INSIDE_TOKEN, Misalignment.UNKNOWN_RUN)


@pytest.mark.parametrize(
    "text", ["\u1112\u1161\u11ab", "ｶﾞ"], ids=["conjoining jamo", "half-width kana and its voicing"]
)
def test_what_nfkc_composes_is_one_piece(text):
    assert read_back(TOKENIZERS["unigram"], f"x {text} y", text) == text


def test_bytes_of_one_character_are_one_character():
    encoding = encoded(TOKENIZERS["byte-level"], "x谥y")
    tokens = encoding.token_span(Span(1, 2))
    assert tokens.end > tokens.start
    assert {encoding.char_span(tokens.start, end) for end in range(tokens.start, tokens.end + 1)} == {Span(1, 2)}


def test_the_space_that_sentencepiece_prepends_is_no_border():
    encoding = encoded(TOKENIZERS["unigram"], "白露")
    tokens = TOKENIZERS["unigram"].convert_ids_to_tokens(encoding.input_ids)
    assert tokens[1] == "▁"
    assert not encoding.pointable[1]
    assert encoding.token_span(Span(0, 1)) == TokenSpan(2, 2)


def test_the_block_character_that_sentencepiece_uses_for_space_stays_a_character():
    assert read_back(TOKENIZERS["unigram"], "▁ 白露", "▁") == "▁"


@EVERY_TOKENIZER
def test_special_tokens_are_not_pointable(tokenizer):
    encoding = encoded(tokenizer, "晚风 [CLS] 白露")
    assert not encoding.pointable[[0, -1]].any()
    assert tokenizer.cls_token_id not in encoding.input_ids[1:]


@EVERY_TOKENIZER
@pytest.mark.parametrize("text", ["", " ", "\r\n\t", "\u3000\u2003"])
def test_blank_text_has_nothing_to_point_at(tokenizer, text):
    encoding = encoded(tokenizer, text)
    assert not encoding.pointable.any()
    assert encoding.chars_read == len(text)


class TestCauses:
    tokenizer = TOKENIZERS["wordpiece cased"]

    def test_not_in_text(self):
        assert encoded(self.tokenizer, "白露").token_span(Span(1, 5)) == Misalignment.NOT_IN_TEXT

    def test_empty_span_is_not_in_text(self):
        assert encoded(self.tokenizer, "白露").token_span(Span(1, 1)) == Misalignment.NOT_IN_TEXT

    def test_inside_a_token(self):
        assert read_back(self.tokenizer, "blue晚风", "lu") == Misalignment.INSIDE_TOKEN

    def test_unknown_run(self):
        assert read_back(self.tokenizer, "看😀b吧", "b") == Misalignment.UNKNOWN_RUN
        assert read_back(self.tokenizer, "看😀b吧", "😀b") == "😀b"

    def test_unknown_run_wins_over_inside_a_token(self):
        assert read_back(self.tokenizer, "看😀b blue", "b bl") == Misalignment.UNKNOWN_RUN

    @pytest.mark.parametrize("part", ["\u200b晚风", "晚风\u200b", "\ud800晚风", " 晚风"])
    def test_unread_border(self, part):
        assert read_back(self.tokenizer, f"歌曲{part}好听", part) == Misalignment.UNREAD_BORDER

    def test_truncated(self):
        encoding = encoded(self.tokenizer, "白露演唱了晚风", max_length=6)
        assert encoding.chars_read == 4
        assert encoding.token_span(Span(0, 2)) == TokenSpan(1, 2)
        assert encoding.token_span(Span(3, 5)) == Misalignment.TRUNCATED
        assert encoding.token_span(Span(5, 7)) == Misalignment.TRUNCATED

    def test_tokens_that_share_a_character_in_the_wrong_order(self):
        """Byte-level tokens may join the last byte of one character with the first of the next."""
        offsets = np.array([[0, 2], [1, 3]])
        encoding = Encoding("白露晚", np.array([5, 6]), offsets, np.zeros(2, dtype=bool), 3)
        assert encoding.token_span(Span(1, 2)) == Misalignment.INSIDE_TOKEN
        assert encoding.token_span(Span(0, 3)) == TokenSpan(0, 1)


@EVERY_TOKENIZER
def test_long_text_is_cut_at_its_end_and_says_where(tokenizer):
    text = "白露演唱了晚风" * 40
    encoding = encoded(tokenizer, text, max_length=16)
    assert len(encoding) == 16
    assert 0 < encoding.chars_read < len(text)
    assert encoding.offsets.max() == encoding.chars_read


def test_tokenizer_set_to_cut_the_beginning_is_made_to_cut_the_end_and_left_as_it_was():
    tokenizer = builders.wordpiece_tokenizer()
    tokenizer.truncation_side = "left"
    assert encoded(tokenizer, "白露演唱了晚风", max_length=6).chars_read == 4
    assert tokenizer.truncation_side == "left"


def test_text_that_just_fits_is_read_to_its_end():
    assert encoded(TOKENIZERS["wordpiece cased"], "白露演唱\u200b", max_length=6).chars_read == 5


def test_slow_tokenizer_is_refused():
    class Slow:
        is_fast = False

    with pytest.raises(TypeError, match=r"Slow is not a fast tokenizer.*AutoTokenizer"):
        encode(Slow(), ["白露"], 16)


def test_no_text_gives_no_encoding():
    assert encode(TOKENIZERS["unigram"], [], 16) == []


@EVERY_TOKENIZER
def test_texts_of_one_call_get_the_offsets_that_each_gets_alone(tokenizer):
    texts = ["", " 晚风 ", "\u0301e\u0301", "晚风", "\u0301", "\t\n", "café\u0301 ▁晚风", "\ud800 a  b", "▁"]
    for together, text in zip(encode(tokenizer, texts), texts, strict=True):
        alone = encoded(tokenizer, text)
        assert together.offsets.tolist() == alone.offsets.tolist()
        assert (together.input_ids == alone.input_ids).all()


def test_texts_of_one_call_are_independent():
    tokenizer = TOKENIZERS["wordpiece uncased"]
    texts = ["白露", "Zoe\u0308  Müller", ""]
    for together, text in zip(encode(tokenizer, texts, 16), texts, strict=True):
        alone = encoded(tokenizer, text)
        assert list(together.input_ids) == list(alone.input_ids)
        assert together.offsets.tolist() == alone.offsets.tolist()


class TestPad:
    def test_arrays_have_the_longest_length_and_a_mask(self):
        short, long = encode(TOKENIZERS["wordpiece cased"], ["白", "白露演"], 16)
        batch = pad([short, long], pad_token_id=7)
        assert batch.input_ids.shape == batch.attention_mask.shape == batch.pointable.shape == (2, 5)
        assert batch.input_ids[0].tolist() == [*short.input_ids, 7, 7]
        assert batch.attention_mask.sum(axis=1).tolist() == [3, 5]
        assert batch.pointable.sum(axis=1).tolist() == [1, 3]

    def test_length_is_rounded_up(self):
        encodings = encode(TOKENIZERS["wordpiece cased"], ["白露演"], 16)
        assert pad(encodings, 0, multiple=8).input_ids.shape == (1, 8)
        assert pad(encodings, 0, multiple=5).input_ids.shape == (1, 5)


@EVERY_TOKENIZER
@settings(derandomize=True, deadline=None, max_examples=150)
@given(text=any_text(), max_length=st.integers(5, 40), data=st.data())
def test_any_tokens_of_any_text_cover_what_they_are_found_by(tokenizer, text, max_length, data):
    encoding = encoded(tokenizer, text, max_length)
    assert encoding.offsets.shape == (len(encoding), 2)
    assert len(encoding) <= max_length
    pointable = np.flatnonzero(encoding.pointable).tolist()
    if not pointable:
        return
    start = data.draw(st.sampled_from(pointable))
    end = data.draw(st.sampled_from([token for token in pointable if token >= start]))
    span = encoding.char_span(start, end)
    part = text[span.start : span.end]
    assert part
    assert part == part.strip()
    tokens = encoding.token_span(span)
    assert isinstance(tokens, TokenSpan)
    assert encoding.char_span(tokens.start, tokens.end) == span


@EVERY_TOKENIZER
@settings(derandomize=True, deadline=None, max_examples=100)
@given(text=any_text(), data=st.data())
def test_any_characters_get_tokens_that_cover_exactly_them_or_a_cause(tokenizer, text, data):
    encoding = encoded(tokenizer, text, 24)
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    tokens = encoding.token_span(Span(start, end))
    if isinstance(tokens, TokenSpan):
        assert tokens.start <= tokens.end
        assert encoding.char_span(tokens.start, tokens.end) == Span(start, end)
    else:
        assert tokens in Misalignment


def test_the_characters_that_are_passed_over_hold_no_marks_and_no_joiners():
    plain = [chr(code) for code in range(0x110000) if not alignment._RARE.match(chr(code))]
    assert len(plain) > 25_000
    assert not [c for c in plain if unicodedata.category(c)[0] == "M" or alignment._JOINS.match(c)]


def test_a_batch_of_nothing_is_as_long_as_one_token():
    empty = Encoding("", np.zeros(0, dtype=np.int64), np.zeros((0, 2), dtype=np.int64), np.zeros(0, dtype=bool), 0)
    batch = pad([empty], 0, multiple=8)
    assert batch.input_ids.shape == (1, 8)
    assert not batch.attention_mask.any()

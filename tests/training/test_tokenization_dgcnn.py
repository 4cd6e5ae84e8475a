"""The tokenizer of characters."""

import pytest
from hypothesis import given
from transformers import AutoTokenizer

from hf_spo import character_tokenizer
from hf_spo.model.alignment import TokenSpan, encode, pad
from hf_spo.model.schema import Span
from tests import builders

TEXTS = ["白露演唱了《晚风》 Anna", "白露作词,《晚风》😀\nAnna", "a\tB b"]


@pytest.fixture(scope="module")
def tokenizer():
    return character_tokenizer(TEXTS)


def tokens(tokenizer, text):
    return tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"])


def test_every_character_is_one_token():
    tokenizer = character_tokenizer(["白 露\n😀\t\u3000e\u0301👨\u200d👩"], min_count=1)
    text = "白露 \n\n😀😀\t\u3000e\u0301👨\u200d👩"
    assert tokens(tokenizer, text) == list(text)
    assert tokenizer(text, return_offsets_mapping=True)["offset_mapping"] == [(i, i + 1) for i in range(len(text))]


def test_no_special_token_is_added(tokenizer):
    assert tokens(tokenizer, "白露") == ["白", "露"]
    assert (tokenizer.pad_token_id, tokenizer.unk_token_id) == (0, 1)


def test_a_and_large_a_are_one_token(tokenizer):
    assert tokenizer("aB")["input_ids"] == tokenizer("Ab")["input_ids"]
    assert tokens(tokenizer, "ANNA") == list("anna")


def test_case_can_be_kept():
    tokenizer = character_tokenizer(["aA"], min_count=1, lowercase=False)
    assert tokens(tokenizer, "aA") == ["a", "A"]


def test_rare_characters_are_unknown(tokenizer):
    assert tokens(tokenizer, "白词谥") == ["白", "[UNK]", "[UNK]"]
    assert tokens(character_tokenizer(TEXTS, min_count=1), "白词谥") == ["白", "词", "[UNK]"]


def test_the_commonest_characters_come_first():
    vocabulary = character_tokenizer(["乙甲甲乙丙丙丙"]).get_vocab()
    assert sorted(vocabulary, key=vocabulary.get) == ["[PAD]", "[UNK]", "丙", "乙", "甲"]


def test_saved_and_loaded_is_the_same(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert loaded.is_fast
    assert loaded.get_vocab() == tokenizer.get_vocab()
    assert loaded.model_max_length == 512
    assert (loaded.pad_token_id, loaded.unk_token_id) == (0, 1)
    for text in [*TEXTS, "", "谥😀  \n", "[UNK]"]:
        encoded = (t(text, return_offsets_mapping=True, split_special_tokens=True) for t in (tokenizer, loaded))
        assert next(encoded).data == next(encoded).data


def test_model_max_length_is_a_setting():
    assert character_tokenizer(TEXTS, max_length=64).model_max_length == 64


@pytest.mark.parametrize("texts", [[], [""], ["白露演唱"], ["白", "露"]])
def test_nothing_frequent_enough(texts):
    with pytest.raises(ValueError, match=r"no character occurs 2 times in these texts; .* or min_count=1"):
        character_tokenizer(texts)


def test_special_tokens_in_a_text_are_characters(tokenizer):
    (encoding,) = encode(tokenizer, ["[PAD]a"], 64)
    assert len(encoding) == 6
    assert 0 not in encoding.input_ids


class TestAlignment:
    def test_a_character_is_a_token_of_its_own(self, tokenizer):
        text = "白露\U0002070e《晚风》"
        (encoding,) = encode(tokenizer, [text], 64)
        assert encoding.offsets.tolist() == [[i, i + 1] for i in range(len(text))]
        assert encoding.token_span(Span(4, 6)) == TokenSpan(4, 5)
        assert encoding.unknown.tolist() == [c == "\U0002070e" for c in text]

    def test_white_space_is_no_border(self, tokenizer):
        (encoding,) = encode(tokenizer, ["白 露\n"], 64)
        assert encoding.pointable.tolist() == [True, False, True, False]
        assert encoding.token_span(Span(0, 3)) == TokenSpan(0, 2)

    def test_a_long_text_is_cut(self, tokenizer):
        (encoding,) = encode(tokenizer, ["白露演唱了《晚风》"], 4)
        assert (len(encoding), encoding.chars_read) == (4, 4)

    def test_an_empty_text_has_no_token(self, tokenizer):
        (encoding,) = encode(tokenizer, [""], 64)
        assert len(encoding) == 0
        assert encoding.offsets.shape == (0, 2)
        assert not encoding.pointable.any()

    def test_an_empty_text_alone_is_padded(self, tokenizer):
        batch = pad(encode(tokenizer, [""], 64), 0)
        assert batch.input_ids.tolist() == [[0]]
        assert batch.attention_mask.tolist() == [[0]]
        assert batch.pointable.tolist() == [[False]]

    def test_an_empty_text_among_others(self, tokenizer):
        batch = pad(encode(tokenizer, ["", "白露"], 64), 0)
        assert batch.attention_mask.tolist() == [[0, 0], [1, 1]]

    @given(builders.any_text())
    def test_any_text_has_offsets_in_order(self, text):
        (encoding,) = encode(ANY, [text], 64)
        starts = encoding.offsets[:, 0].tolist()
        assert starts == sorted(starts)
        assert encoding.offsets.max(initial=0) <= len(text)
        solid = {i for i, c in enumerate(text) if not c.isspace()}
        covered = {i for start, end in encoding.offsets.tolist() for i in range(start, end)}
        assert solid <= covered


ANY = character_tokenizer(TEXTS)

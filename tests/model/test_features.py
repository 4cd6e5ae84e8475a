"""What models read beside tokens."""

import numpy as np
import pytest

from hf_spo import Span, TripleStore, character_tokenizer
from hf_spo.model.alignment import encode, pad
from hf_spo.model.features import Features
from hf_spo.model.triple_store import stated_triples
from hf_spo.model.words import WordVocabulary
from tests import builders

WORDPIECE = builders.TOKENIZERS["wordpiece cased"]
CHARACTERS = character_tokenizer([*builders.SENTENCES], min_count=1)
SINGER = builders.SCHEMA.find("歌手")
AUTHOR = builders.SCHEMA.find("作者")


def annotated(features, tokenizer, *texts, max_length=64, stated=()):
    encodings = encode(tokenizer, texts, max_length)
    features.annotate(encodings, stated)
    return encodings


@pytest.fixture
def words():
    return Features(WordVocabulary(["晚风", "演唱", "anna"]))


@pytest.fixture
def prior():
    store = TripleStore(builders.SCHEMA)
    store.add("晚风", SINGER, "白露")
    store.add("Blue Harbour", AUTHOR, "Anna")
    return Features(prior=store)


def test_nothing_by_default():
    (encoding,) = annotated(Features(), WORDPIECE, "白露演唱了《晚风》")
    assert encoding.word_ids is None
    assert encoding.candidates is None
    assert pad([encoding], 0).model_inputs().keys() == {"input_ids", "attention_mask"}


class TestWords:
    def test_every_token_has_the_word_of_its_first_character(self, words):
        (encoding,) = annotated(words, WORDPIECE, "白露演唱了《晚风》Anna")
        tokens = WORDPIECE.convert_ids_to_tokens(encoding.input_ids)
        found = dict(zip(tokens, encoding.word_ids.tolist(), strict=True))
        assert len(found) == len(encoding.word_ids)
        assert {token: word for token, word in found.items() if word} == {
            **dict.fromkeys("演唱", 2),
            **dict.fromkeys("晚风", 1),
            **{token: 3 for token in tokens if token.strip("#").lower() in ("a", "n", "an", "na")},
        }
        assert found["[CLS]"] == found["[SEP]"] == 0

    def test_characters(self, words):
        (encoding,) = annotated(words, CHARACTERS, "白露演唱了《晚风》 Anna")
        assert encoding.word_ids.tolist() == [0, 0, 2, 2, 0, 0, 1, 1, 0, 0, 3, 3, 3, 3]

    @pytest.mark.parametrize("name", builders.TOKENIZERS)
    @pytest.mark.parametrize(
        "text", ["白露演唱《晚风》 Anna", " \u3000Anna  晚风\r\n", "\ud800晚风😀", "İ晚风e\u0301谥"]
    )
    def test_every_tokenizer(self, words, name, text):
        (encoding,) = annotated(words, builders.TOKENIZERS[name], text)
        by_character = words.words.ids(text)
        for token, (start, end) in enumerate(encoding.offsets.tolist()):
            assert encoding.word_ids[token] == (by_character[start] if start < end else 0)
        assert 1 in encoding.word_ids

    def test_only_what_is_read_is_cut_into_words(self, words):
        """What follows may make other words of it."""
        text = "白露演唱了《晚风》"
        (encoding,) = annotated(words, CHARACTERS, text, max_length=7)
        assert encoding.word_ids.tolist() == words.words.ids(text[:7]).tolist()
        (encoding,) = annotated(words, WORDPIECE, text, max_length=6)
        assert encoding.word_ids.tolist() == [0, 0, 0, 2, 2, 0]

    def test_an_empty_text(self, words):
        for tokenizer, length in ((CHARACTERS, 0), (WORDPIECE, 2)):
            (encoding,) = annotated(words, tokenizer, "")
            assert encoding.word_ids.tolist() == [0] * length

    def test_they_are_padded_with_zeros(self, words):
        batch = pad(annotated(words, CHARACTERS, "晚风", "演唱了晚风", ""), 0, multiple=4)
        assert batch.model_inputs()["word_ids"].tolist() == [
            [1, 1, 0, 0, 0, 0, 0, 0],
            [2, 2, 0, 1, 1, 0, 0, 0],
            [0] * 8,
        ]


class TestCandidates:
    def test_they_are_tokens(self, prior):
        text = "白露演唱了《晚风》"
        (encoding,) = annotated(prior, CHARACTERS, text)
        assert encoding.candidates.tolist() == [[6, 7, 0, 1, SINGER]]
        assert encoding.candidates.dtype == np.int64
        (encoding,) = annotated(prior, WORDPIECE, text)
        assert encoding.candidates.tolist() == [[7, 8, 1, 2, SINGER]]

    def test_what_no_tokens_cover_exactly_is_dropped(self, prior):
        """主演 is one token there."""
        tokenizer = builders.TOKENIZERS["unigram"]
        prior.prior.add("晚风", AUTHOR, "主")
        prior.prior.add("演", AUTHOR, "晚风")
        prior.prior.add("主演", AUTHOR, "晚风")
        text = "白露主演晚风"
        assert len(prior.prior.candidates(text)) == 4
        (encoding,) = annotated(prior, tokenizer, text)
        spans = [(encoding.char_span(*row[:2]), encoding.char_span(*row[2:4])) for row in encoding.candidates.tolist()]
        assert spans == [(Span(2, 4), Span(4, 6)), (Span(4, 6), Span(0, 2))]

    def test_what_was_cut_off_is_dropped(self, prior):
        text = "白露演唱了《晚风》"
        for length, expected in ((8, 1), (7, 0), (2, 0)):
            (encoding,) = annotated(prior, CHARACTERS, text, max_length=length)
            assert encoding.candidates.shape == (expected, 5)

    def test_a_text_without_any(self, prior):
        for text in ("", "今天天气很好"):
            (encoding,) = annotated(prior, CHARACTERS, text)
            assert encoding.candidates.shape == (0, 5)

    def test_rows_of_a_batch(self, prior):
        batch = pad(annotated(prior, CHARACTERS, "今天", "白露,晚风", "", "晚风白露"), 0)
        assert batch.model_inputs()["prior"].tolist() == [[1, 3, 4, 0, 1, SINGER], [3, 0, 1, 2, 3, SINGER]]

    def test_a_batch_without_any(self, prior):
        batch = pad(annotated(prior, CHARACTERS, "今天", ""), 0)
        assert batch.model_inputs()["prior"].shape == (0, 6)

    def test_in_training_each_text_is_asked_for_what_it_alone_states(self):
        examples = [
            builders.example("白露演唱了《晚风》", ("晚风", "歌手", "白露")),
            builders.example("《海边》由何雨晴主演", ("海边", "主演", "何雨晴")),
            builders.example("何雨晴演过《海边》", ("海边", "主演", "何雨晴")),
        ]
        features = Features(prior=TripleStore.from_examples(examples, builders.SCHEMA))
        texts = [example.text for example in examples]
        stated = [[stated_triples(example, builders.SCHEMA)] for example in examples]
        counts = [len(encoding.candidates) for encoding in annotated(features, CHARACTERS, *texts, stated=stated)]
        assert counts == [0, 1, 1]
        assert [len(encoding.candidates) for encoding in annotated(features, CHARACTERS, *texts)] == [1, 1, 1]


def test_words_and_candidates_at_once(words, prior):
    batch = pad(annotated(Features(words.words, prior.prior), CHARACTERS, "白露演唱了《晚风》"), 0)
    assert batch.model_inputs().keys() == {"input_ids", "attention_mask", "word_ids", "prior"}


def test_saved_files_are_those_that_are_needed(words, prior, tmp_path):
    for name, features, expected in (
        ("none", Features(), set()),
        ("words", words, {"words.txt"}),
        ("both", Features(words.words, prior.prior), {"words.txt", "prior.jsonl"}),
    ):
        features.save(tmp_path / name / "model")
        assert {path.name for path in (tmp_path / name / "model").iterdir()} == expected

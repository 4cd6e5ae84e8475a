"""Words and what cuts texts into them."""

import pickle
import re
import sys

import numpy as np
import pytest

from hf_spo import register_segmenter
from hf_spo.model import words
from hf_spo.model.words import SegmentationError, WordVocabulary, make_segmenter


@pytest.fixture
def registered(monkeypatch):
    """Register a segmenter for one test."""

    def registered(name, segmenter):
        monkeypatch.setitem(words._SEGMENTERS, name, None)  # so that it is gone after the test
        register_segmenter(name, lambda: segmenter)

    return registered


def pieces(text):
    """Cut at white space, and keep it."""
    return re.findall(r"\s+|\S+", text)


def test_every_character_has_the_number_of_its_word(registered):
    registered("spaces", pieces)
    vocabulary = WordVocabulary(["晚风", "白露", " "], "spaces")
    assert len(vocabulary) == 4
    ids = vocabulary.ids("白露 演唱 晚风")
    assert ids.tolist() == [2, 2, 3, 0, 0, 3, 1, 1]
    assert ids.dtype == np.int64


def test_words_are_those_of_rjieba():
    text = "白露演唱了《晚风》"
    assert WordVocabulary(["演唱", "晚风"]).ids(text).tolist() == [0, 0, 1, 1, 0, 0, 2, 2, 0]


def test_characters_are_words_of_their_own():
    assert WordVocabulary(["白", "风"], "characters").ids("晚风白露").tolist() == [0, 2, 1, 0]


def test_a_word_in_large_letters_falls_back_to_small_ones(registered):
    registered("spaces", pieces)
    vocabulary = WordVocabulary(["anna", "Blue", "blue"], "spaces")
    assert vocabulary.ids("Anna").tolist() == [1] * 4
    assert vocabulary.ids("Blue").tolist() == [2] * 4
    assert vocabulary.ids("BLUE").tolist() == [3] * 4
    assert vocabulary.ids("LIND").tolist() == [0] * 4


@pytest.mark.parametrize("segmenter", ["rjieba", "characters"])
def test_an_empty_text(segmenter):
    assert WordVocabulary(["白露"], segmenter).ids("").shape == (0,)


@pytest.mark.parametrize("segmenter", ["rjieba", "characters"])
@pytest.mark.parametrize(
    "text", ["白露\r\n \t\u3000演唱\n", "😀👨\u200d👩e\u0301", "a b\x00c", "\ud800白露\udfff", "\ufffd"]
)
def test_hard_texts_have_a_number_a_character(segmenter, text):
    assert WordVocabulary(["白露"], segmenter).ids(text).shape == (len(text),)


def test_a_lone_surrogate_leaves_the_words_around_it():
    assert WordVocabulary(["晚风"]).ids("\ud800晚风").tolist() == [0, 1, 1]


def test_saved_and_read_again(tmp_path):
    kept = ["晚风", " ", "\u3000", "\u2028", "\x85", "Zoë", "a b"]
    WordVocabulary(kept, "characters").save(tmp_path / "words.txt")
    loaded = WordVocabulary.from_file(tmp_path / "words.txt", "characters")
    assert loaded.words == kept
    assert loaded.segmenter == "characters"


def test_no_words_saved_and_read_again(tmp_path):
    WordVocabulary([], "characters").save(tmp_path / "words.txt")
    assert len(WordVocabulary.from_file(tmp_path / "words.txt", "characters")) == 1


def test_a_carriage_return_is_no_end_of_a_line(tmp_path):
    """Or all later words would have the vectors of their neighbours."""
    kept = ["\r", "a\rb", "晚风"]
    WordVocabulary(kept, "characters").save(tmp_path / "words.txt")
    assert WordVocabulary.from_file(tmp_path / "words.txt", "characters").words == kept


@pytest.mark.parametrize("segmenter", ["rjieba", "characters"])
def test_a_vocabulary_goes_to_another_process(segmenter):
    """As to the workers of a loader, where they are no forks."""
    vocabulary = WordVocabulary(["晚风", "白露"], segmenter)
    copy = pickle.loads(pickle.dumps(vocabulary))
    assert copy.ids("白露,晚风").tolist() == vocabulary.ids("白露,晚风").tolist()


class TestSegmenters:
    def test_an_unknown_one(self):
        with pytest.raises(ValueError, match=r"no segmenter 'ltp'; there are rjieba, characters.*register_segmenter"):
            WordVocabulary(["晚风"], "ltp")

    def test_ones_own(self, registered):
        registered("spaces", pieces)
        assert make_segmenter("spaces")("白露 演唱") == ["白露", " ", "演唱"]

    def test_it_is_made_when_it_is_needed(self, monkeypatch):
        made = []
        monkeypatch.setitem(words._SEGMENTERS, "own", None)
        register_segmenter("own", lambda: made.append(1) or list)
        assert not made
        assert WordVocabulary(["晚"], "own").ids("晚风").tolist() == [1, 0]
        assert made == [1]

    @pytest.mark.parametrize(
        ("segmenter", "at", "got", "expected"),
        [
            (str.split, 2, "演唱", " 演唱"),  # drops white space
            (lambda text: list(text[:-1]), 4, "", "唱"),
            (lambda text: [*text, "。"], 5, "。", ""),
            (lambda text: list(text.replace("露", "鹭")), 1, "鹭 演唱", "露 演唱"),
        ],
    )
    def test_one_that_changes_the_text(self, registered, segmenter, at, got, expected):
        registered("lossy", segmenter)
        vocabulary = WordVocabulary(["白露"], "lossy")
        with pytest.raises(SegmentationError) as caught:
            vocabulary.ids("白露 演唱")
        message = str(caught.value)
        assert "segmenter 'lossy' changed the text beginning '白露 演唱'" in message
        assert f"at character {at} it returned {got!r}, expected {expected!r}" in message
        assert "wrap it so that it restores what it drops" in message

    def test_one_that_is_not_installed(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "rjieba", None)
        with pytest.raises(ImportError, match=re.escape("pip install 'hf-spo[words]'")):
            WordVocabulary(["晚风"], "rjieba")

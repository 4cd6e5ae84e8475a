import pytest

from hf_spo import Example, Mention, Span, Triple
from hf_spo.data import OccurrencePolicy, SpoCollator, SpoDataset
from hf_spo.data.reach import Reaches, out_of_reach, places_in, windows_of
from hf_spo.model.alignment import encode
from tests import builders

FIRST = OccurrencePolicy.FIRST
FILLER = "今天天气很好。"


def stated(text, subject, value, *, offsets=True):
    """Return a text that states that a subject, its first occurrence, has a lead."""

    def mention(string, kind):
        start = text.index(string)
        return Mention(string, Span(start, start + len(string)) if offsets else None, kind)

    return Example(text, (Triple(mention(subject, "影视作品"), "主演", mention(value, "人物")),))


NEAR = stated(FILLER * 10 + "《海边》由何雨晴主演。" + FILLER * 10, "海边", "何雨晴")
FAR = stated("《海边》上映了。" + FILLER * 10 + "主演是何雨晴。", "海边", "何雨晴")


@pytest.fixture
def windows(tiny_tokenizer):
    def windows(example, window, max_length=64):
        (encoding,) = encode(tiny_tokenizer, [example.text])
        return windows_of(encoding, window, max_length)

    return windows


@pytest.mark.parametrize("offsets", [True, False])
def test_a_triple_within_a_sentence_is_in_reach(windows, offsets):
    example = stated(NEAR.text, "海边", "何雨晴", offsets=offsets)
    assert len(windows(example, 32)) > 3
    assert out_of_reach(example, windows(example, 32), FIRST) == []


def test_a_triple_whose_mentions_are_in_no_window_together_is_not(windows):
    assert out_of_reach(FAR, windows(FAR, 32), FIRST) == list(FAR.triples)
    assert out_of_reach(FAR, windows(FAR, 200, 200), FIRST) == []


def test_a_triple_that_is_not_in_the_text_is_not_counted(windows):
    example = Example(FAR.text, (Triple(Mention("雪国"), "主演", Mention("何雨晴")),))
    assert out_of_reach(example, windows(example, 32), FIRST) == []


def test_a_mention_that_is_torn_is_out_of_reach(windows):
    """It ends where a window ends within a sentence, so extraction leaves it to a window that holds the rest."""
    text = "海边" + "很" * 28 + "何雨晴" + "很" * 60
    example = stated(text, "海边", "何雨晴")
    whole = windows(example, 35, 35)
    assert any(window.start == 0 and len(window.encoding.text) == 33 and window.torn[1] for window in whole)
    assert out_of_reach(example, whole, FIRST) == list(example.triples)


def test_strings_without_offsets_may_have_a_nearer_occurrence(windows):
    """The first occurrence of the subject is far from the object, the second is in its sentence."""
    text = "《海边》上映了。" + FILLER * 10 + "《海边》由何雨晴主演。"
    example = stated(text, "海边", "何雨晴", offsets=False)
    cut = windows(example, 32)
    assert out_of_reach(example, cut, FIRST) == []
    (place,) = places_in(cut, text, example.triples[0], FIRST)
    assert place.subject.span == Span(text.rindex("海边"), text.rindex("海边") + 2)
    with_offsets = stated(text, "海边", "何雨晴")
    assert out_of_reach(with_offsets, cut, FIRST) == list(with_offsets.triples)


@pytest.fixture
def reaches(tiny_tokenizer):
    def reaches(examples, max_length=128):
        return Reaches(examples, encode(tiny_tokenizer, [one.text for one in examples]), max_length, FIRST)

    return reaches


class TestReaches:
    def test_the_smallest_window_holds_what_is_wanted(self, reaches):
        short = [*builders.EXAMPLES] * 4
        reach = reaches([*short, FAR]).smallest()
        assert reach.lost == 0
        assert reach.triples == 4 * sum(len(example.triples) for example in builders.EXAMPLES) + 1
        assert 80 < reach.window <= 128
        assert reaches([*short, FAR]).of(32).lost == 1

    def test_short_texts_are_read_as_they_are(self, reaches):
        lengths = sorted(len(one.text) + 2 for one in [NEAR] * 3)
        assert reaches([NEAR] * 3, 256).smallest().window <= lengths[1]

    def test_what_the_model_cannot_hold_is_counted(self, reaches):
        reach = reaches([FAR], 64).smallest()
        assert (reach.window, reach.triples, reach.lost, reach.share) == (64, 1, 1, 0)
        assert str(reach) == "of 1 gold triples 1 are out of reach of windows of 64 tokens"

    def test_no_triples(self, reaches):
        reach = reaches([Example("今天天气很好")]).smallest()
        assert (reach.triples, reach.lost, reach.share) == (0, 0, 1)


class TestLongTexts:
    """Training reads a long text in windows, as extraction does."""

    @pytest.fixture
    def data(self, tiny_tokenizer, tiny_schema):
        def data(*examples, **settings):
            return SpoDataset(examples, tiny_tokenizer, tiny_schema, max_length=64, **settings)

        return data

    def test_its_windows_are_what_is_trained_on(self, data, windows, tiny_schema):
        dataset = data(NEAR, builders.EXAMPLES[0])
        expected = [window.encoding.text for window in windows(NEAR, 64)]
        assert [item.encoding.text for item in dataset] == [*expected, builders.EXAMPLES[0].text]
        assert dataset.examples == [NEAR, builders.EXAMPLES[0]]
        assert dataset.long == 1
        labelled = [bool(item.labels) for item in dataset]
        assert labelled == ["何雨晴" in text for text in expected] + [True]
        assert max(dataset.lengths) <= 64
        assert SpoCollator(0, len(tiny_schema))(list(dataset))["object_labels"].sum() > 0

    def test_a_triple_that_several_windows_hold_counts_once(self, data):
        text = FILLER * 6 + "《海边》由何雨晴主演。" + FILLER * 6
        dataset = data(stated(text, "海边", "何雨晴"))
        assert (dataset.report.triples, dataset.report.aligned) == (1, 1)
        assert sum(bool(item.labels) for item in dataset) >= 1

    def test_what_no_window_holds_is_counted(self, data):
        dataset = data(FAR, builders.EXAMPLES[0])
        assert dataset.report.causes == {"out of reach": 1}
        assert dataset.report.triples == 1 + len(builders.EXAMPLES[0].triples)
        assert not any(item.labels for item in list(dataset)[:-1])

    def test_strings_without_offsets_are_labelled_where_they_are_in_the_whole_text(self, data):
        text = FILLER * 8 + "《海边》由何雨晴主演。" + FILLER * 8 + "海边有何雨晴。"
        dataset = data(stated(text, "海边", "何雨晴", offsets=False))
        labelled = [item.encoding.text for item in dataset if item.labels]
        assert labelled
        assert all("主演" in one for one in labelled)

    def test_entities_are_swapped_and_windows_packed(self, data):
        dataset = data(NEAR, *builders.EXAMPLES, entity_swap_probability=1.0, context_packing=0.3)
        assert all(len(item.encoding) <= 64 for item in dataset)

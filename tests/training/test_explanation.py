import math

import pytest

from hf_spo import Example, Mention, Triple
from hf_spo.metrics import TripleScore
from hf_spo.model.decoding_settings import DecodingSettings
from hf_spo.training.explanation import TrainingState, explain_zero, progress_hints, show
from hf_spo.training.stages import StageScore
from tests import builders

NONE = TripleScore(0, 0, 0)
YOUNG = TrainingState(20, 1000, 1e-4)
LABELLED = StageScore(TripleScore(0, 0, 9), TripleScore(0, 0, 16), 0.12, 0.03)
SONG = builders.example("《晚风》由白露演唱,雪国", ("晚风", "歌手", "白露"))


def explain(predictions, examples=None, stages=LABELLED, state=YOUNG, decoding=None):
    examples = [SONG] * len(predictions) if examples is None else examples
    return "\n".join(explain_zero(examples, predictions, stages, decoding or DecodingSettings(), state))


def triple(subject, predicate, value, text=SONG.text):
    return Triple(builders.mention(text, subject, ""), predicate, builders.mention(text, value, ""))


def test_nothing_to_find():
    assert "none of the 2 texts is labelled" in explain([[], []], [Example("雪国")] * 2, StageScore())
    assert "none of the 0 texts" in explain([], [], StageScore())


def test_nothing_aligned():
    said = explain([[]], stages=StageScore(subject_peak=0.1))
    assert "none of the 1 gold triples aligns with tokens of its text" in said
    assert "hf-spo doctor" in said


@pytest.mark.parametrize(
    ("stages", "losses"),
    [
        (StageScore(LABELLED.subjects, LABELLED.objects, math.nan, 0.0), ()),
        (StageScore(LABELLED.subjects, LABELLED.objects, 0.1, math.nan), ()),
        (LABELLED, (0.1, math.nan)),
    ],
)
def test_diverged(stages, losses):
    said = explain([[]], stages=stages, state=TrainingState(20, 1000, 1e-4, losses))
    assert "NaN" in said
    assert "lower learning rate" in said


def test_the_average_lags():
    said = explain([[]], state=TrainingState(20, 1000, 1e-4, raw_f1=0.41))
    assert "the averaged weights lag behind the raw ones, whose F1 is 0.4100" in said


def test_no_subject():
    said = explain([[]])
    assert "no subject found: the highest probability of a border is 0.120, the threshold is 0.5" in said
    assert "20 of 1000 steps" in said


def test_subjects_without_objects():
    stages = StageScore(TripleScore(5, 8, 9), TripleScore(0, 0, 16), 0.9, 0.31)
    said = explain([[]], stages=stages)
    assert "8 subjects found, 5 of them right, but no objects" in said
    assert "is 0.310, the threshold is 0.5" in said


def test_objects_of_labelled_subjects_alone_and_score_thresholds():
    stages = StageScore(TripleScore(0, 8, 9), TripleScore(7, 7, 16), 0.9, 0.9)
    assert "for the labelled subjects, 7 objects are found" in explain([[]], stages=stages)
    strict = DecodingSettings(score_thresholds=(0.95,))
    assert "scores below 0.95 are dropped" in explain([[]], stages=stages, decoding=strict)


class TestNothingRight:
    def test_one_is_shown_beside_one_of_the_labels(self):
        said = explain([[triple("晚风》", "歌手", "白露")]])
        assert "1 triples found, none of them right (cause: 1 boundary)" in said
        assert "for example (晚风》 1–4, 歌手, 白露 5–7); gold: (晚风 1–3, 歌手, 白露 5–7)" in said

    @pytest.mark.parametrize(
        ("found", "hint"),
        [
            (triple("白露", "歌手", "晚风"), "exchanged"),
            (triple("晚风", "作曲", "白露"), "the predicates are wrong"),
            (triple("雪国", "歌手", "演唱"), "labels are missing"),
        ],
    )
    def test_what_helps_goes_by_the_cause(self, found, hint):
        assert hint in explain([[found]])

    def test_found_only_where_nothing_is_labelled(self):
        said = explain([[triple("雪国", "歌手", "白露")], []], [Example(SONG.text), SONG])
        assert "gold: no triple" in said


class TestProgress:
    def test_not_trained_yet(self):
        assert "has not been trained yet" in progress_hints(TrainingState(0, 100, 1e-4))[0]

    def test_no_learning_rate(self):
        assert "learning rate is 0" in progress_hints(TrainingState(500, 1000, 0.0))[0]

    @pytest.mark.parametrize(("rate", "said"), [(1e-7, "is low"), (1e-2, "is high")])
    def test_odd_learning_rates(self, rate, said):
        assert said in progress_hints(TrainingState(500, 1000, rate))[0]

    def test_a_loss_that_does_not_fall(self):
        (hint,) = progress_hints(TrainingState(500, 1000, 1e-4, (0.5, 0.6, 0.49)))
        assert "0.5 at first, 0.49 now" in hint

    def test_nothing_odd(self):
        (hint,) = progress_hints(TrainingState(500, 1000, 1e-4, (0.5, 0.1)))
        assert "train longer" in hint


def test_a_triple_without_offsets():
    assert show(Triple(Mention("晚风"), "歌手", Mention("白露"))) == "(晚风, 歌手, 白露)"

from dataclasses import replace

import numpy as np
import pytest

from hf_spo import Example, Mention, Triple, TripleExtractor
from hf_spo.data import OccurrencePolicy
from hf_spo.metrics import TripleScore
from hf_spo.model.modeling_spo import TorchBackend
from hf_spo.training.stages import StageExtractor, StageScore
from tests import builders

TOKENIZER = builders.wordpiece_tokenizer()


class Bent:
    """The backend that knows the answer, with its probabilities changed on the way."""

    def __init__(self, subjects=lambda probs: probs, objects=lambda probs: probs):
        self.gold = builders.GoldBackend(builders.EXAMPLES, TOKENIZER)
        self.bend_subjects, self.bend_objects = subjects, objects
        self.encoded = 0

    def subjects(self, batch):
        self.encoded += len(batch.input_ids)
        state, probs = self.gold.subjects(batch)
        return state, self.bend_subjects(probs)

    def objects(self, state, rows, spans):
        return self.bend_objects(self.gold.objects(state, rows, spans))


def stage_extractor(backend, **options):
    return StageExtractor(
        backend, TOKENIZER, builders.SCHEMA, policy=OccurrencePolicy.FIRST, **{"max_length": 64, **options}
    )


def totals(backend, examples=builders.EXAMPLES, batch_size=3):
    return StageScore.total([score for _, score in stage_extractor(backend).examine(examples, batch_size)])


def test_all_is_right():
    score = totals(Bent())
    assert score.subjects.f1 == score.objects.f1 == 1.0
    # Both qualifiers and values count as objects.
    slots = sum(len(list(triple.slots())) for example in builders.EXAMPLES for triple in example.triples)
    assert score.objects == TripleScore(slots, slots, slots)
    assert (score.subject_peak, score.object_peak) == (1.0, 1.0)


def test_objects_are_scored_where_no_subject_is_found():
    score = totals(Bent(subjects=lambda probs: probs * 0.3))
    assert (score.subjects.predicted, score.subjects.f1, score.objects.f1) == (0, 0.0, 1.0)
    assert score.subject_peak == pytest.approx(0.3)


def test_subjects_are_scored_where_no_object_is_found():
    score = totals(Bent(objects=lambda probs: probs * 0.2))
    assert (score.subjects.f1, score.objects.f1) == (1.0, 0.0)
    assert score.object_peak == pytest.approx(0.2)


def test_wrong_objects():
    score = totals(Bent(objects=lambda probs: np.roll(probs, 1, axis=1)))
    assert score.objects.predicted > 0
    assert score.objects.correct == 0


def test_a_peak_that_is_no_number_stays():
    def spoil(probs):
        probs[0, 1, 0] = np.nan
        return probs

    score = totals(Bent(subjects=spoil, objects=lambda probs: probs * np.nan))
    assert np.isnan(score.subject_peak)
    assert np.isnan(score.object_peak)


def test_each_text_has_its_own_score_whatever_the_batches():
    alone = [stage_extractor(Bent()).examine([example])[0] for example in builders.EXAMPLES]
    for size in (1, 2, 3, 100):
        extractor = stage_extractor(Bent(), look_ahead=2)
        assert extractor.examine(builders.EXAMPLES, size) == alone
        assert extractor.examine(builders.EXAMPLES[::-1], size) == alone[::-1]


def test_the_encoder_runs_once_a_text():
    backend = Bent()
    stage_extractor(backend).examine(builders.EXAMPLES, 4)
    assert backend.encoded == len(builders.EXAMPLES)


def test_triples_are_those_of_the_extractor(trained_model):
    plain = TripleExtractor(TorchBackend(trained_model), TOKENIZER, builders.SCHEMA, max_length=64)
    texts = [example.text for example in builders.EXAMPLES]
    examined = stage_extractor(TorchBackend(trained_model)).examine(builders.EXAMPLES, 3)
    assert [triples for triples, _ in examined] == list(plain(texts, 3))
    assert StageScore.total([score for _, score in examined]).objects.f1 == 1.0


def test_blank_texts_and_texts_without_triples():
    examined = stage_extractor(Bent()).examine([Example(""), builders.EXAMPLES[0], Example(" \t")])
    assert examined[0] == examined[2] == ([], StageScore())
    assert examined[1][1].subjects == TripleScore(1, 1, 1)
    assert stage_extractor(Bent()).examine([]) == []


def test_twins_are_each_scored_by_their_own_labels():
    first = builders.EXAMPLES[0]
    bare = replace(first, triples=())
    scores = [score for _, score in stage_extractor(Bent()).examine([bare, first, bare])]
    assert [score.subjects.gold for score in scores] == [0, 1, 0]
    assert [score.subjects.predicted for score in scores] == [1, 1, 1]


def test_relations_that_the_schema_lacks_are_passed_over():
    first = builders.EXAMPLES[0]
    foreign = Triple(Mention("林小川"), "语言", Mention("远山"))
    ((_, score),) = stage_extractor(Bent()).examine([replace(first, triples=(*first.triples, foreign))])
    assert score.subjects == TripleScore(1, 1, 1)


def test_the_total_of_nothing():
    assert StageScore.total([]) == StageScore()
    assert StageScore().subjects.f1 == 0.0

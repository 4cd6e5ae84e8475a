import numpy as np
import pytest

from hf_spo.metrics import TripleScorer
from hf_spo.model.calibration import CalibrationMethod
from hf_spo.model.decoding_settings import DecodingSettings, SpanPairing, Thresholds
from hf_spo.model.ensemble import AveragingBackend, EnsembleExtractor
from hf_spo.model.extraction import TripleExtractor
from hf_spo.model.schema import Example
from hf_spo.training.recording import RecordedBackend
from hf_spo.training.tuning import AS_IT_IS, BY_RELATION, LEVELS, ONE, Tuner
from tests import builders

NAMES = ["林小川", "何雨晴", "周一鸣", "白露", "陈立言"]


def sentences(count):
    """Sentences that all differ, with one or two triples each."""
    made = []
    for number in range(count):
        title, one, two = f"远山{number}", NAMES[number % 5], NAMES[(number + 2) % 5]
        triples = [(title, "导演", one), (title, "主演", two)][: 1 + number % 2]
        made.append(builders.example(f"《{title}》由{one}执导,{two}主演", *triples))
    return made


class NoisyBackend:
    """Gold borders whose probabilities are 0.25 to 0.95, and as many wrong ones of 0.05 to 0.6; counts its calls."""

    def __init__(self, items, tokenizer, seed=0):
        self.gold = builders.GoldBackend(items, tokenizer)
        self.seed = seed
        self.calls = {"subjects": 0, "objects": 0}

    def _noisy(self, probs, key):
        rng = np.random.default_rng([self.seed, *key])
        wrong = (rng.random(probs.shape) < 0.08) * rng.uniform(0.05, 0.6, probs.shape)
        return np.where(probs > 0, rng.uniform(0.25, 0.95, probs.shape), wrong).astype(np.float32)

    def subjects(self, batch):
        self.calls["subjects"] += 1
        state, probs = self.gold.subjects(batch)
        return (state, batch), self._noisy(probs, batch.input_ids.sum(1).tolist())

    def objects(self, state, rows, spans):
        self.calls["objects"] += 1
        own, batch = state
        probs = self.gold.objects(own, rows, spans)
        # What is thought of a subject must not depend on which others are asked for along with it.
        parts = [
            self._noisy(p, [int(batch.input_ids[row].sum()), *span])
            for p, row, span in zip(probs, rows.tolist(), spans.tolist(), strict=True)
        ]
        return np.stack(parts) if parts else probs


def loop(backend, tokenizer, decoding=None):
    return TripleExtractor(backend, tokenizer, builders.SCHEMA, max_length=64, decoding=decoding)


@pytest.fixture(scope="module")
def items():
    return sentences(60)


@pytest.fixture
def backend(items, tiny_tokenizer):
    return NoisyBackend(items, tiny_tokenizer)


def f1(extractor, items):
    scorer = TripleScorer()
    for item, triples in zip(items, extractor([item.text for item in items]), strict=True):
        scorer.add(triples, item.triples)
    return scorer.score()


class TestRecordedBackend:
    @pytest.mark.parametrize("pairing", SpanPairing)
    def test_decodes_like_the_backend_and_asks_it_once(self, backend, items, tiny_tokenizer, pairing):
        texts = [item.text for item in items[:20]]
        recorded = loop(backend, tiny_tokenizer).with_backend(lambda own: RecordedBackend(own, LEVELS, pairing))
        for thresholds in (Thresholds(), Thresholds(0.1, 0.3, 0.2, 0.7), Thresholds(0.7, 0.1, 0.4, 0.4)):
            settings = DecodingSettings(thresholds, pairing)
            before = dict(backend.calls)
            fast = list(recorded.redecoded(settings)(texts))
            calls = backend.calls["subjects"] - before["subjects"]
            assert calls == (1 if thresholds == Thresholds() else 0)
            assert fast == list(loop(backend, tiny_tokenizer, settings)(texts))

    def test_a_subject_that_was_not_foreseen_is_computed(self, backend, items, tiny_tokenizer):
        texts = [item.text for item in items[:8]]
        settings = DecodingSettings(Thresholds(0.12, 0.55))
        recorded = loop(backend, tiny_tokenizer, settings).with_backend(
            lambda own: RecordedBackend(own, (0.7,), SpanPairing.NEAREST)
        )
        assert list(recorded(texts)) == list(loop(backend, tiny_tokenizer, settings)(texts))


class TestTuner:
    def test_finds_better_settings_and_reports_what_they_give(self, backend, items, tiny_tokenizer):
        extractor = loop(backend, tiny_tokenizer, DecodingSettings(Thresholds(0.7, 0.7, 0.7, 0.7)))
        found = Tuner(extractor, items, builders.SCHEMA, method=CalibrationMethod.TEMPERATURE).run()
        assert found.choice in (ONE, BY_RELATION)
        assert found.after.f1 > found.before.f1 + 0.1
        assert found.cross_validated[found.choice].f1 > found.cross_validated[AS_IT_IS].f1
        assert found.before == f1(extractor, items)
        assert found.after == f1(extractor.redecoded(found.settings), items)
        assert found.cross_validated[AS_IT_IS] == found.before
        assert found.ece_after < found.ece_before

    def test_keeps_settings_that_cannot_be_bettered(self, items, tiny_tokenizer):
        gold = builders.GoldBackend(items, tiny_tokenizer)
        found = Tuner(loop(gold, tiny_tokenizer), items, builders.SCHEMA, method=None).run()
        assert found.choice == AS_IT_IS
        assert found.settings == DecodingSettings()
        assert found.after.f1 == 1

    def test_precision_asked_for_is_reached(self, backend, items, tiny_tokenizer):
        extractor = loop(backend, tiny_tokenizer)
        found = Tuner(extractor, items, builders.SCHEMA, min_precision=0.95, method=None).run()
        assert f1(extractor.redecoded(found.settings), items).precision >= 0.95 > found.before.precision
        assert len(found.settings.score_thresholds) <= 1

    def test_precision_out_of_reach(self, items, tiny_tokenizer):
        # Every sentence is stated of the next one, so that hardly anything is right.
        shifted = [Example(a.text, b.triples) for a, b in zip(items, [*items[1:], items[0]], strict=True)]
        extractor = loop(builders.GoldBackend(items, tiny_tokenizer), tiny_tokenizer)
        with pytest.raises(ValueError, match=r"the highest is 0\.000: lower min_precision"):
            Tuner(extractor, shifted, builders.SCHEMA, min_precision=0.9, method=None).run()

    def test_settings_found_earlier_are_kept_if_nothing_is_better(self, items, tiny_tokenizer):
        own = DecodingSettings(Thresholds(), score_thresholds=(0.4,))
        found = Tuner(
            loop(builders.GoldBackend(items, tiny_tokenizer), tiny_tokenizer, own), items, builders.SCHEMA, method=None
        )
        assert found.run().settings == own

    def test_ensembles(self, tiny_tokenizer):
        few = sentences(20)
        backends = [NoisyBackend(few, tiny_tokenizer, seed) for seed in range(3)]
        groups = [loop(AveragingBackend(backends[:2]), tiny_tokenizer), loop(backends[2], tiny_tokenizer)]
        extractor = EnsembleExtractor(groups, 1)
        found = Tuner(extractor, few, builders.SCHEMA, method=None).run()
        assert found.after.f1 >= found.before.f1
        assert {backend.calls["subjects"] for backend in backends} == {1}
        assert found.after == f1(extractor.redecoded(found.settings), few)

    @pytest.mark.parametrize("value", [0, 1, -0.5])
    def test_precision_is_a_share(self, backend, items, tiny_tokenizer, value):
        with pytest.raises(ValueError, match="between 0 and 1"):
            Tuner(loop(backend, tiny_tokenizer), items, builders.SCHEMA, min_precision=value)

    def test_too_few_texts(self, backend, items, tiny_tokenizer):
        with pytest.raises(ValueError, match="got 9 labelled texts, expected at least 10"):
            Tuner(loop(backend, tiny_tokenizer), items[:9], builders.SCHEMA)

    def test_rare_relations_stay_close_to_the_common_threshold(self, backend, items, tiny_tokenizer):
        tuners = [
            Tuner(loop(backend, tiny_tokenizer), items, builders.SCHEMA, shrinkage=s, method=None, batch_size=32)
            for s in (0, 1e9)
        ]
        everything = np.ones(len(items), dtype=bool)
        free, tied = (tuner._choose(everything, by_relation=True).limits for tuner in tuners)
        common = tuners[0]._choose(everything, by_relation=False).limits[0]
        assert tied == pytest.approx([common] * len(builders.SCHEMA))
        assert max(abs(limit - common) for limit in free) > 0.01

    def test_json(self, backend, items, tiny_tokenizer):
        report = Tuner(loop(backend, tiny_tokenizer), items, builders.SCHEMA).run().to_dict()
        assert set(report["cross_validated"]) == {AS_IT_IS, ONE, BY_RELATION}
        assert report["calibration"]["method"] == "isotonic"
        assert 0 <= report["after"]["f1"] <= 1

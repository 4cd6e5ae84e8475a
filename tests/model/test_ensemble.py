from pathlib import Path

import numpy as np
import pytest
import torch
from torch._dynamo.testing import CompileCounter
from transformers import AutoModel, pipeline

from hf_spo import AutoModelForTripleExtraction, SpoEnsemble, TripleStore
from hf_spo.model.alignment import encode, pad
from hf_spo.model.calibration import Calibration, CalibrationMethod
from hf_spo.model.decoding_settings import DecodingSettings, Thresholds
from hf_spo.model.ensemble import AveragingBackend, EnsembleExtractor, combine, make_extractor
from hf_spo.model.extraction import TripleExtractor
from hf_spo.model.modeling_spo import TorchBackend
from hf_spo.model.schema import Mention, Schema, Span, Triple
from tests import builders

TEXTS = [example.text for example in builders.EXAMPLES]


@pytest.fixture(scope="module")
def folders(tiny_tokenizer, trained_folder, tmp_path_factory):
    """The model that knows the examples, and two of one kind with random weights."""
    paths = [Path(trained_folder)]
    for seed in (1, 2):
        path = tmp_path_factory.mktemp(f"random-{seed}")
        config = builders.encoder_config("bert", len(tiny_tokenizer), size=64)
        builders.spo_model(config, seed=seed).save_pretrained(path)
        tiny_tokenizer.save_pretrained(path)
        paths.append(path)
    return paths


@pytest.fixture(scope="module")
def other_tokenizer_folder(tmp_path_factory):
    """A random model of the same relations that reads bytes."""
    path = tmp_path_factory.mktemp("bytes")
    tokenizer = builders.byte_level_tokenizer(False, True)
    builders.spo_model(builders.encoder_config("bert", len(tokenizer)), seed=3).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def triple(subject, value, score, start=0, predicate="导演"):
    return Triple(
        Mention(subject, Span(start, start + len(subject)), "影视作品"),
        predicate,
        Mention(value, Span(20, 20 + len(value)), "人物"),
        {},
        score,
    )


class TestCombine:
    def test_union_keeps_what_any_found_and_agreement_counts(self):
        both, one = triple("雪国", "林小川", 0.8), triple("海边", "何雨晴", 0.9)
        found = combine([[both, one], [triple("雪国", "林小川", 0.6)]], 1)
        assert [(t.subject.text, t.score) for t in found] == [
            ("海边", pytest.approx(0.45)),
            ("雪国", pytest.approx(0.7)),
        ]

    def test_votes(self):
        groups = [[triple("雪国", "林小川", 0.8)], [triple("雪国", "林小川", 0.8), triple("海边", "何雨晴", 0.9)], []]
        assert [t.subject.text for t in combine(groups, 2)] == ["雪国"]
        assert combine(groups, 3) == []

    def test_a_fact_found_at_two_places_is_one_vote_each_and_keeps_the_surest_place(self):
        (found,) = combine([[triple("雪国", "林小川", 0.5)], [triple("雪国", "林小川", 0.9, start=8)]], 2)
        assert found.subject.span == Span(8, 10)

    def test_all_places_of_the_surest_group_stay(self):
        found = combine([[triple("雪国", "林小川", 0.9), triple("雪国", "林小川", 0.4, start=8)], []], 1)
        assert [t.subject.span.start for t in found] == [0, 8]

    def test_other_predicates_and_types_are_other_facts(self):
        assert combine([[triple("雪国", "林小川", 0.9)], [triple("雪国", "林小川", 0.9, predicate="主演")]], 2) == []

    def test_nothing(self):
        assert combine([[], []], 1) == []


class TestAverage:
    def test_probabilities_are_the_mean(self, folders, tiny_tokenizer):
        ensemble = SpoEnsemble.from_models(folders)
        batch = pad(encode(tiny_tokenizer, TEXTS[:3], 64), tiny_tokenizer.pad_token_id)
        backends = [TorchBackend(member.eval()) for member in ensemble.groups[0]]
        state, probs = AveragingBackend(backends).subjects(batch)
        own = [backend.subjects(batch) for backend in backends]
        assert probs == pytest.approx(np.mean([p for _, p in own], axis=0))
        rows, spans = np.array([0, 2]), np.array([[1, 2], [3, 3]])
        objects = AveragingBackend(backends).objects(state, rows, spans)
        expected = [backend.objects(s, rows, spans) for backend, (s, _) in zip(backends, own, strict=True)]
        assert objects == pytest.approx(np.mean(expected, axis=0))

    def test_of_equal_models_is_the_model(self, folders, tmp_path):
        SpoEnsemble.from_models([folders[0]] * 3).save_pretrained(tmp_path)
        one, many = (pipeline("triple-extraction", model=str(path)) for path in (folders[0], tmp_path))
        for alone, together in zip(one(TEXTS), many(TEXTS), strict=True):
            assert builders.facts(together) == builders.facts(alone)
            assert [t["score"] for t in together] == pytest.approx([t["score"] for t in alone])

    def test_average_of_averages_is_flat(self, folders, tmp_path):
        SpoEnsemble.from_models(folders[:2]).save_pretrained(tmp_path)
        assert [len(group) for group in SpoEnsemble.from_models([tmp_path, folders[2]]).groups] == [3]

    def test_stores_of_the_members_are_united(self, tmp_path, tiny_tokenizer):
        paths = []
        for index, item in enumerate(builders.EXAMPLES[:2]):
            config = builders.encoder_config("bert", len(tiny_tokenizer))
            model = builders.spo_model(config, seed=index, prior=True)
            model.features.prior = TripleStore.from_examples([item], builders.SCHEMA)
            paths.append(tmp_path / f"m{index}")
            model.save_pretrained(paths[-1])
            tiny_tokenizer.save_pretrained(paths[-1])
        ensemble = SpoEnsemble.from_models(paths)
        store = ensemble.group_features(0).prior
        assert len(store) == sum(len(item.triples) for item in builders.EXAMPLES[:2])
        assert list(make_extractor(ensemble.eval(), tiny_tokenizer)(TEXTS[:2]))


class TestUnited:
    @pytest.fixture
    def united(self, folders, other_tokenizer_folder, tmp_path):
        SpoEnsemble.from_models([folders[0], other_tokenizer_folder], "union").save_pretrained(tmp_path / "united")
        return tmp_path / "united"

    def test_is_used_like_a_model(self, united, folders):
        pipe = pipeline("triple-extraction", model=str(united))
        assert isinstance(pipe.model, SpoEnsemble)
        alone = pipeline("triple-extraction", model=str(folders[0]))
        for text, found, best in zip(TEXTS, pipe(TEXTS), alone(TEXTS), strict=True):
            assert builders.facts(found) >= builders.facts(best)
            for mention in (t[name] for t in found for name in ("subject", "object")):
                assert text[mention["start"] : mention["end"]] == mention["text"]
        assert next(pipe(iter(TEXTS))) == pipe(TEXTS[0])
        assert pipe(["", " "]) == [[], []]

    def test_saves_and_loads_like_a_model(self, united, tmp_path):
        pipe = pipeline("triple-extraction", model=str(united))
        pipe.save_pretrained(str(tmp_path / "again"))
        again = pipeline("triple-extraction", model=str(tmp_path / "again"))
        assert again(TEXTS) == pipe(TEXTS)
        for auto in (AutoModelForTripleExtraction, AutoModel):
            assert isinstance(auto.from_pretrained(united), SpoEnsemble)

    def test_dtype_and_device_reach_the_members(self, united):
        model = SpoEnsemble.from_pretrained(united, dtype=torch.bfloat16)
        assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
        assert model.dtype == torch.bfloat16

    def test_compile_reaches_the_members(self, united):
        counter, pipe = CompileCounter(), pipeline("triple-extraction", model=str(united))
        plain = pipe(TEXTS[0])
        pipe.model.compile(backend=counter)
        assert pipe(TEXTS[0]) == plain
        assert counter.frame_count >= 2
        torch._dynamo.reset()

    def test_settings_after_decoding_are_those_of_the_whole(self, united):
        pipe = pipeline("triple-extraction", model=str(united))
        everything = pipe(TEXTS[0])
        # Agreement is rare between a model that knows and one that guesses, so scores are about halves.
        assert all(t["score"] < 0.8 for t in everything)
        assert pipe(TEXTS[0], score_threshold=0.8) == []
        assert len(pipe(TEXTS[0], top_k=1)) == 1
        settings = DecodingSettings(Thresholds(), calibration=Calibration(CalibrationMethod.TEMPERATURE, (1.0, 3.0)))
        pipe.model.config.decode_by(settings)
        assert max(t["score"] for t in pipe(TEXTS[0])) > 0.8

    def test_relations(self, united):
        pipe = pipeline("triple-extraction", model=str(united))
        expected = [[triple for triple in triples if triple["predicate"] == "主演"] for triples in pipe(TEXTS)]
        assert pipe(TEXTS, relations=["主演"]) == expected
        assert any(expected)

    def test_loop_on_other_backends_and_settings(self, united, tiny_tokenizer):
        loop = make_extractor(SpoEnsemble.from_pretrained(united).eval(), tiny_tokenizer)
        assert isinstance(loop, EnsembleExtractor)
        seen = []
        watched = loop.with_backend(lambda backend: seen.append(backend) or backend)
        assert len(seen) == 2
        none = watched.redecoded(DecodingSettings(Thresholds(1, 1, 1, 1)))
        assert list(none(TEXTS)) == [[] for _ in TEXTS]
        assert none.decoding.thresholds == Thresholds(1, 1, 1, 1)
        assert loop.decoding.thresholds == Thresholds()
        with pytest.raises(TypeError, match=r"pass \[text\]"):
            loop("雪国")

    def test_single_model_has_the_plain_loop(self, trained_model, tiny_tokenizer):
        assert isinstance(make_extractor(trained_model, tiny_tokenizer), TripleExtractor)


class TestWrongParts:
    def test_other_tokenizer_cannot_be_averaged(self, folders, other_tokenizer_folder):
        with pytest.raises(ValueError, match="combine them by union or vote"):
            SpoEnsemble.from_models([folders[0], other_tokenizer_folder])

    def test_other_relations(self, folders, tiny_tokenizer, tmp_path):
        schema = Schema(list(builders.SCHEMA)[:3])
        builders.spo_model(builders.encoder_config("bert", len(tiny_tokenizer)), schema).save_pretrained(tmp_path)
        tiny_tokenizer.save_pretrained(tmp_path)
        with pytest.raises(ValueError, match="one schema"):
            SpoEnsemble.from_models([folders[0], tmp_path], "union")

    def test_united_ensembles_do_not_nest(self, folders, tmp_path):
        SpoEnsemble.from_models(folders[:2], "union").save_pretrained(tmp_path)
        with pytest.raises(ValueError, match="combines several groups"):
            SpoEnsemble.from_models([tmp_path, folders[2]], "union")

    def test_config_alone_is_no_ensemble(self, folders):
        config = SpoEnsemble.from_models(folders[:1]).config
        with pytest.raises(ValueError, match="from_pretrained"):
            SpoEnsemble(config)

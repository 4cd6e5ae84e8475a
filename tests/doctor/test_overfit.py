import json
import math

import pytest
import torch
from transformers import AutoModel

from hf_spo import Example, Mention, Span, Triple
from hf_spo.data import OccurrencePolicy
from hf_spo.doctor.overfit import choose_texts, explain_failure, overfit
from hf_spo.training.explanation import TrainingState
from tests import builders

TOKENIZER = builders.wordpiece_tokenizer()
TINY = {"per_device_train_batch_size": 4, "use_cpu": True}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A tiny encoder with random weights, saved."""
    folder = tmp_path_factory.mktemp("encoder")
    config = builders.encoder_config("bert", len(TOKENIZER), size=64)
    torch.manual_seed(0)
    AutoModel.from_config(config, add_pooling_layer=False).save_pretrained(folder)
    TOKENIZER.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def learnt(encoder):
    """A test that ends well, and the steps that it told of."""
    told = []
    found = overfit(
        encoder,
        builders.EXAMPLES,
        builders.SCHEMA,
        learning_rate=2e-3,
        on_evaluation=lambda step, metrics: told.append((step, metrics["eval_f1"])),
        **TINY,
    )
    return found, told


def test_a_fresh_model_learns_by_heart(learnt):
    found, told = learnt
    assert found.learnt
    assert found.f1 >= 0.95
    assert (found.texts, found.triples) == (8, 16)
    assert found.steps < found.max_steps
    assert told[-1] == (found.steps, found.f1)
    assert found.losses[-1] < found.losses[0]
    assert found.explanation == ()
    assert found.verdict.startswith("the model memorises these data: F1 ")
    assert found.head_learning_rate == pytest.approx(1e-2)


def test_plain_values(learnt):
    found, _ = learnt
    assert json.loads(json.dumps(found.to_dict()))["verdict"] == found.verdict


def test_a_trained_model_goes_on(trained_folder):
    found = overfit(trained_folder, builders.EXAMPLES, builders.SCHEMA, max_steps=20, learning_rate=1e-4, **TINY)
    assert found.learnt
    assert found.steps == 20


def test_nothing_is_left_behind_or_printed(encoder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    overfit(encoder, builders.EXAMPLES, builders.SCHEMA, max_steps=2, **TINY)
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out == ""


def test_it_ends_where_the_same_test_ends(encoder):
    losses = [overfit(encoder, builders.EXAMPLES, builders.SCHEMA, max_steps=10, **TINY).losses for _ in range(2)]
    assert losses[0] == losses[1]


class TestFailure:
    def test_a_learning_rate_of_0(self, encoder):
        found = overfit(encoder, builders.EXAMPLES, builders.SCHEMA, max_steps=3, learning_rate=0.0, **TINY)
        assert not found.learnt
        assert found.explanation == ("no weight has changed: the learning rate is 0, or every weight is frozen",)
        assert found.verdict.startswith("not memorised: F1 0.000 on 8 texts")

    def test_too_few_steps(self, encoder, caplog):
        found = overfit(encoder, builders.EXAMPLES, builders.SCHEMA, max_steps=3, learning_rate=1e-5, **TINY)
        assert "no subject found" in found.explanation[0]
        assert "3 of 3 steps" in found.explanation[1]
        assert "F1 is 0" not in caplog.text

    def test_a_stage_that_finds_nothing(self, tmp_path, tiny_tokenizer):
        config = builders.encoder_config("bert", len(tiny_tokenizer))
        builders.spo_model(config, subject_start_threshold=1.0).save_pretrained(tmp_path)
        tiny_tokenizer.save_pretrained(tmp_path)
        found = overfit(str(tmp_path), builders.EXAMPLES, builders.SCHEMA, max_steps=40, learning_rate=2e-3, **TINY)
        assert found.subject_f1 == 0.0
        assert found.object_f1 > 0.5
        assert "no subject found" in found.explanation[0]

    @pytest.mark.parametrize(
        ("f1s", "subject_f1", "object_f1", "losses", "said"),
        [
            ([0.1, 0.2, 0.3, 0.5], 0.5, 0.9, (1.0, 0.1), "F1 still rises, from 0.100 to 0.500"),
            ([0.5, 0.5, 0.5, 0.5], 0.6, 0.9, (1.0, 0.1), "subjects are not learnt (F1 0.600)"),
            ([0.5], 1.0, 0.6, (1.0, 0.1), "subjects are learnt (F1 1.000), objects are not (F1 0.600"),
            ([0.5], 0.94, 0.94, (1.0, 0.1), "a few labels are not learnt"),
            ([0.5], 1.0, 1.0, (1.0, 0.1), "both stages are learnt"),
            ([0.0], 0.0, 0.0, (1.0, math.nan), "the loss is NaN"),
            ([0.0], 0.0, 0.0, (1.0, 0.1), "no subject found"),
        ],
    )
    def test_what_is_said_of_the_figures(self, f1s, subject_f1, object_f1, losses, said):
        state = TrainingState(300, 300, 1e-4, losses)
        assert said in "".join(explain_failure(f1s, subject_f1, object_f1, state, ["no subject found"], moved=True))


class TestChoice:
    def choose(self, examples, count=32, max_length=64):
        return choose_texts(examples, TOKENIZER, builders.SCHEMA, max_length, OccurrencePolicy.FIRST, count)

    def test_texts_with_triples_the_same_every_time(self):
        examples = [*builders.EXAMPLES, Example("今天天气很好"), Example("")]
        chosen = self.choose(examples)
        assert sorted(chosen, key=str) == sorted(builders.EXAMPLES, key=str)
        assert self.choose(examples) == chosen
        assert self.choose(examples, count=3) == chosen[:3]

    def test_whole_labels_go_first(self):
        first = builders.EXAMPLES[0]
        half = Example(first.text, (*first.triples, Triple(Mention("雪国"), "主演", Mention("白露"))))
        assert self.choose([half, *builders.EXAMPLES[1:]])[-1] == half
        assert half not in self.choose([half, *builders.EXAMPLES[1:]], count=7)
        assert self.choose([half]) == [half]

    def test_a_text_is_chosen_once(self):
        assert self.choose([builders.EXAMPLES[0]] * 5) == [builders.EXAMPLES[0]]

    def test_unknown_relations_are_left_out(self):
        first = builders.EXAMPLES[0]
        foreign = Triple(Mention("林小川"), "语言", Mention("远山"))
        assert self.choose([Example(first.text, (*first.triples, foreign))]) == [first]

    def test_offsets_that_are_all_wrong(self, encoder):
        swapped = [
            Example(
                example.text,
                tuple(
                    Triple(
                        Mention(triple.subject.text, Span(0, 1)),
                        triple.predicate,
                        Mention(triple.object.text, Span(0, 1)),
                    )
                    for triple in example.triples
                ),
            )
            for example in builders.EXAMPLES
        ]
        with pytest.raises(ValueError, match="no text has a triple that becomes a label"):
            overfit(encoder, swapped, builders.SCHEMA, **TINY)

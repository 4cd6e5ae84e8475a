from functools import partial

import pytest
import torch
from transformers import AutoModel

from hf_spo import DgcnnConfig, Example, TripleStore
from hf_spo.data import SpoCollator, SpoDataset
from hf_spo.model.features import Features
from hf_spo.model.modeling_spo import masked_mean
from hf_spo.training import SpoTrainingArguments
from hf_spo.training.objective import ENCODER_INPUTS, SignalObjective, _has_dropout
from tests import builders

pytestmark = pytest.mark.smoke

TEXTS = [*builders.EXAMPLES, Example("今天天气很好")]


def dgcnn(**settings):
    config = DgcnnConfig(vocab_size=len(builders.wordpiece_tokenizer()), hidden_size=16, dilations=[1, 2], **settings)
    model = builders.spo_model(config, conditioning="recurrent", global_gates=True, prior=True)
    model.features = Features(prior=TripleStore.from_examples(builders.EXAMPLES[:4], builders.SCHEMA))
    return model


def bert(**dropout):
    config = builders.encoder_config(vocab_size=len(builders.wordpiece_tokenizer()))
    config.update(dropout)
    # Probabilities of which some are high.
    return builders.spo_model(config, initial_subject_probability=0.3, initial_object_probability=0.3)


def batch_of(model, texts=TEXTS, **settings):
    data = SpoDataset(texts, builders.wordpiece_tokenizer(), builders.SCHEMA, max_length=64, features=model.features)
    settings = {"subjects_per_example": 2, "pad_to_multiple_of": 8, **settings}
    return SpoCollator(0, len(builders.SCHEMA), **settings)(list(data))


def run(model, objective, batch):
    inputs = {name: batch[name] for name in ENCODER_INPUTS if name in batch}
    return model(**inputs, objective=partial(objective, batch=batch))


def own(model, batch):
    """Return what the model computes without an objective."""
    return model(**batch)


@pytest.mark.parametrize("build", [bert, dgcnn])
@pytest.mark.parametrize("texts", [TEXTS, TEXTS[-1:]])
def test_without_signals_the_losses_are_the_models_own(build, texts):
    model = build()
    batch = batch_of(model, texts)
    got, expected = run(model, SignalObjective(), batch), own(model, batch)
    for name in ("loss", "subject_loss", "object_loss"):
        assert torch.equal(got[name], expected[name]), name


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_only_unlabelled_borders_count_as_unknown(value):
    """Those above the threshold add nothing to the loss, and a label, a soft one too, makes a border known."""
    model = bert()
    batch = batch_of(model)
    batch["subject_labels"].fill_(value)
    with torch.no_grad():
        model.subject_head.weight.normal_(std=0.3)
    probs = own(model, batch).subject_probs.detach()
    middle = probs.numel() // 2
    threshold = float(probs.flatten().sort().values[middle : middle + 2].mean())  # not one of them
    output = run(model, SignalObjective(missing_label_threshold=threshold), batch)
    losses = torch.nn.functional.binary_cross_entropy(probs, batch["subject_labels"], reduction="none")
    if value == 0:
        assert 0.3 < (probs > threshold).float().mean() < 0.7
        losses[probs > threshold] = 0
    expected = masked_mean(losses.mean(-1), batch["attention_mask"].float())
    torch.testing.assert_close(output.subject_loss, expected, rtol=1e-3, atol=1e-5)


def test_unknown_borders_teach_nothing():
    model = bert()
    batch = batch_of(model)
    for name in ("subject_labels", "object_labels"):
        batch[name].zero_()
    output = run(model, SignalObjective(missing_label_threshold=1e-6), batch)
    assert output.loss == 0
    output.loss.backward()
    assert all((weight.grad == 0).all() for weight in model.parameters() if weight.grad is not None)


def kl(p, q):
    return p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()


def test_r_drop_adds_the_divergence_of_two_passes():
    model = bert(hidden_dropout_prob=0.3).train()
    batch = batch_of(model)
    torch.manual_seed(7)
    output = run(model, SignalObjective(r_drop_alpha=2.0), batch)
    torch.manual_seed(7)
    losses, passes = [], []
    for _ in range(2):
        state = torch.get_rng_state()
        losses.append(own(model, batch))
        torch.set_rng_state(state)  # once more, for what is only returned without labels
        passes.append(own(model, {**batch, "object_labels": None}))
    for name in ("subject_loss", "object_loss"):
        torch.testing.assert_close(output[name], (losses[0][name] + losses[1][name]) / 2)
    mask = batch["attention_mask"].float()
    subjects, objects = (
        [getattr(each, name).double() for each in passes] for name in ("subject_probs", "object_probs")
    )
    both = [kl(p, q) + kl(q, p) for p, q in (subjects, objects)]
    divergence = masked_mean(both[0].mean(-1), mask) + masked_mean(
        both[1].mean(-1).sum(-1), mask[batch["subject_rows"]]
    )
    assert divergence > 1e-3
    added = (output.loss - output.subject_loss - output.object_loss).double()
    torch.testing.assert_close(added, 2.0 / 4 * divergence, rtol=1e-2, atol=1e-5)


def test_passes_that_are_the_same_diverge_by_nothing():
    model = bert(hidden_dropout_prob=0.3).eval()
    batch = batch_of(model)
    assert torch.equal(run(model, SignalObjective(r_drop_alpha=5.0), batch).loss, own(model, batch).loss)


def test_r_drop_needs_dropout():
    with pytest.raises(ValueError, match=r"r_drop_alpha=0.5 compares passes .* none; give its encoder some"):
        SignalObjective(r_drop_alpha=0.5).check(bert())
    SignalObjective(r_drop_alpha=0.5).check(bert(hidden_dropout_prob=0.1))
    SignalObjective(missing_label_threshold=0.5).check(bert())


@pytest.mark.parametrize("kind", builders.ENCODERS)
def test_dropout_is_found_in_every_encoder(kind):
    config = builders.encoder_config(kind)
    assert not _has_dropout(AutoModel.from_config(config))
    rates = ("attention_dropout", "attention_probs_dropout_prob")
    config.update({name: 0.2 for name in rates if hasattr(config, name)})
    assert _has_dropout(AutoModel.from_config(config))


def test_dropout_of_gates_is_dropout():
    assert not _has_dropout(dgcnn(gate_dropout_prob=0.0, hidden_dropout_prob=0.0))
    assert _has_dropout(dgcnn(gate_dropout_prob=0.1, hidden_dropout_prob=0.0))


@pytest.mark.parametrize("build", [bert, dgcnn])
def test_all_signals_together(build):
    model = build(hidden_dropout_prob=0.1).train()
    batch = batch_of(model)
    objective = SignalObjective(0.5, 100.0)  # the divergence of two passes is small
    output = run(model, objective, batch)
    output.loss.backward()
    assert output.loss > output.subject_loss + output.object_loss
    assert all(torch.isfinite(weight.grad).all() for weight in model.parameters() if weight.grad is not None)


def test_from_arguments(tmp_path):
    def build(**settings):
        return SignalObjective.from_arguments(SpoTrainingArguments(str(tmp_path), use_cpu=True, **settings))

    assert build() is None
    settings = {"missing_label_threshold": 0.6}
    assert build(**settings, r_drop_alpha=0.5) == SignalObjective(0.6, 0.5)


class TestPartialLabels:
    @pytest.fixture
    def model(self):
        model = bert()
        with torch.no_grad():
            model.subject_head.weight.normal_(std=0.3)
            model.object_head.weight.normal_(std=0.3)
        return model

    def with_completeness(self, model, relations, subjects):
        batch = batch_of(model)
        count = len(batch["input_ids"])
        batch["complete_relations"] = torch.tensor(relations, dtype=torch.float32).expand(count, -1)
        batch["complete_subjects"] = torch.full((count,), float(subjects))
        return batch

    def test_complete_labels_give_the_models_own_losses(self, model):
        batch = self.with_completeness(model, [1] * len(builders.SCHEMA), 1)
        output, expected = run(model, SignalObjective(), batch), own(model, batch_of(model))
        for name in ("loss", "subject_loss", "object_loss"):
            torch.testing.assert_close(output[name], expected[name])

    @pytest.mark.parametrize("share", [0.25, 0.9])
    def test_an_unlabelled_subject_counts_as_it_is_labelled(self, model, share):
        batch = self.with_completeness(model, [1] * len(builders.SCHEMA), share)
        probs = own(model, {**batch_of(model)}).subject_probs.detach()
        labels = batch["subject_labels"]
        losses = torch.where(labels == 1, -probs.log(), -(1 - share * probs).log())
        expected = masked_mean(losses.mean(-1), batch["attention_mask"].float())
        torch.testing.assert_close(run(model, SignalObjective(), batch).subject_loss, expected, rtol=1e-3, atol=1e-5)

    def test_relations_that_are_not_complete_have_no_negatives(self, model):
        known = [number % 2 for number in range(len(builders.SCHEMA))]
        batch = self.with_completeness(model, known, 1)
        probs = own(model, {**batch_of(model), "object_labels": None}).object_probs.detach()
        labels = batch["object_labels"]
        counted = (labels == 1) | torch.tensor(known, dtype=torch.bool)[:, None]
        losses = torch.nn.functional.binary_cross_entropy(probs, labels, reduction="none").where(counted, 0)
        mask = batch["attention_mask"][batch["subject_rows"]].float()
        expected = masked_mean(losses.mean(-1).sum(-1), mask)
        torch.testing.assert_close(run(model, SignalObjective(), batch).object_loss, expected, rtol=1e-3, atol=1e-5)

    @pytest.mark.parametrize("share", [0, 1])
    def test_gradients_are_finite_and_zero_where_nothing_is_known(self, model, share):
        batch = self.with_completeness(model, [share] * len(builders.SCHEMA), share)
        for name in ("subject_labels", "object_labels"):
            batch[name].zero_()
        run(model, SignalObjective(), batch).loss.backward()
        grads = [weight.grad for weight in model.parameters() if weight.grad is not None]
        assert all(torch.isfinite(grad).all() for grad in grads)
        assert any((grad != 0).any() for grad in grads) == bool(share)

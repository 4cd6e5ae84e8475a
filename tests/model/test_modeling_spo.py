"""The model: with every encoder, it behaves as a model of transformers does."""

import json
import logging
import subprocess
import sys
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch._dynamo.testing import CompileCounter
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, modeling_utils
from transformers.utils import hub as transformers_hub

from hf_spo import (
    AutoModelForTripleExtraction,
    DgcnnConfig,
    Relation,
    Schema,
    SpoConfig,
    SpoForTripleExtraction,
    TripleExtractor,
    TripleStore,
    character_tokenizer,
)
from hf_spo.model.alignment import Batch, encode, pad
from hf_spo.model.decoding_settings import DecodingSettings, Thresholds
from hf_spo.model.encoders import last_layer_norm, position_limit
from hf_spo.model.ensemble import make_extractor
from hf_spo.model.features import Features
from hf_spo.model.modeling_spo import TorchBackend, masked_mean
from hf_spo.model.words import WordVocabulary
from tests import builders

EVERY_ENCODER = pytest.mark.parametrize("model_type", builders.ENCODERS)
PARENT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def batch(tiny_tokenizer):
    return builders.training_batch(builders.EXAMPLES, tiny_tokenizer)


@pytest.fixture(scope="module")
def question(batch):
    """The same without labels."""
    return {name: tensor for name, tensor in batch.items() if not name.endswith("labels")}


def model_of(model_type, **settings):
    return builders.spo_model(builders.encoder_config(model_type), **settings)


def dgcnn_config(vocab_size=320, size=32, **settings):
    """Return the config of a tiny convolutional encoder."""
    return DgcnnConfig(vocab_size=vocab_size, hidden_size=size, dilations=[1, 2, 5], **settings)


def stirred(model):
    """Move all parameters off their initial values, so that conditioning matters."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return model


def answers(model, question):
    with torch.no_grad():
        output = model(**question)
    return output.subject_probs, output.object_probs


def assert_same_weights(one, other):
    left, right = one.state_dict(), other.state_dict()
    assert left.keys() == right.keys()
    for name in left:
        assert torch.equal(left[name], right[name]), name


class TestForward:
    @EVERY_ENCODER
    def test_shapes_and_probabilities(self, model_type, question):
        model = model_of(model_type)
        output = model(**question)
        rows, length = question["input_ids"].shape
        subjects = len(question["subject_rows"])
        assert output.subject_probs.shape == (rows, length, 2)
        assert output.object_probs.shape == (subjects, length, len(builders.SCHEMA), 2)
        assert output.last_hidden_state.shape == output.conditioned_state.shape == (rows, length, 32)
        assert output.loss is None
        for probs in (output.subject_probs, output.object_probs):
            assert probs.dtype == torch.float32
            assert ((probs > 0) & (probs < 1)).all()

    @EVERY_ENCODER
    def test_fresh_heads_expect_hardly_any_border(self, model_type, question):
        output = model_of(model_type)(**question)
        assert output.subject_probs.mean().item() == pytest.approx(0.02, rel=0.5)
        assert output.object_probs.mean().item() == pytest.approx(0.0005, rel=0.5)

    @EVERY_ENCODER
    @pytest.mark.parametrize("conditioning", ["layer_norm", "addition"])
    @pytest.mark.parametrize("position", ["before", "after"])
    def test_loss_reaches_every_parameter(self, model_type, conditioning, position, batch):
        model = model_of(model_type, conditioning=conditioning, conditioning_position=position).train()
        output = model(**batch)
        assert output.loss.item() == pytest.approx(output.subject_loss.item() + output.object_loss.item())
        assert output.object_probs is None
        output.loss.backward()
        idle = [name for name, parameter in model.named_parameters() if parameter.grad is None]
        assert not idle
        assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())

    def test_losses_are_the_stated_means(self, tiny_model, batch):
        question = {name: tensor for name, tensor in batch.items() if not name.endswith("labels")}
        output, probs = tiny_model(**batch), tiny_model(**question)
        entropy = nn.functional.binary_cross_entropy
        mask = batch["attention_mask"].bool()
        subjects = entropy(probs.subject_probs, batch["subject_labels"], reduction="none").mean(-1)[mask].mean()
        objects = entropy(probs.object_probs, batch["object_labels"], reduction="none").mean(-1).sum(-1)
        torch.testing.assert_close(output.subject_loss, subjects, rtol=1e-4, atol=1e-6)
        expected = objects[mask[batch["subject_rows"]]].mean()
        torch.testing.assert_close(output.object_loss, expected, rtol=1e-4, atol=1e-6)

    def test_labels_of_subjects_alone_give_their_loss_alone(self, tiny_model, batch):
        names = ("input_ids", "attention_mask", "subject_labels")
        output = tiny_model(**{name: batch[name] for name in names})
        assert output.loss is output.subject_loss
        assert output.object_loss is None

    def test_a_batch_without_any_subject_has_a_loss(self, tiny_model, batch):
        nothing = {
            "subject_rows": batch["subject_rows"][:0],
            "subject_spans": batch["subject_spans"][:0],
            "object_labels": batch["object_labels"][:0],
        }
        output = tiny_model(**{**batch, **nothing})
        assert output.object_loss.item() == 0
        output.loss.backward()

    @EVERY_ENCODER
    def test_padding_changes_nothing(self, model_type, question):
        model = stirred(model_of(model_type))
        alone = {**question, "input_ids": question["input_ids"][:1], "attention_mask": question["attention_mask"][:1]}
        length = int(alone["attention_mask"].sum())
        alone = {
            name: value[:, :length] if name in ("input_ids", "attention_mask") else value
            for name, value in alone.items()
        }
        own = question["subject_rows"] == 0
        for name in ("subject_rows", "subject_spans"):
            alone[name] = question[name][own]
        for padded, single in zip(answers(model, question), answers(model, alone), strict=True):
            torch.testing.assert_close(padded[: len(single), :length], single, rtol=1e-3, atol=1e-5)

    def test_mask_may_be_left_out(self, tiny_model, question):
        ids = question["input_ids"][:1, :5]
        whole = tiny_model(input_ids=ids, attention_mask=torch.ones_like(ids))
        torch.testing.assert_close(tiny_model(input_ids=ids).subject_probs, whole.subject_probs)

    def test_token_types_reach_an_encoder_that_has_them(self, tiny_model, question):
        ids = question["input_ids"][:1, :5]
        one, two = (tiny_model(input_ids=ids, token_type_ids=torch.full_like(ids, kind)) for kind in (0, 1))
        assert not torch.allclose(one.last_hidden_state, two.last_hidden_state)

    @pytest.mark.parametrize("model_type", ["modernbert", "distilbert"])
    def test_token_types_are_kept_from_an_encoder_without(self, model_type, question):
        ids = question["input_ids"]
        model_of(model_type)(input_ids=ids, token_type_ids=torch.zeros_like(ids))


class TestHabitsOfForward:
    """Arguments that libraries around transformers pass to any model."""

    @pytest.mark.parametrize("model_type", ["bert", "modernbert", "dgcnn"])
    def test_embeddings_in_place_of_ids(self, model_type, question):
        model = builders.spo_model(dgcnn_config()) if model_type == "dgcnn" else model_of(model_type)
        others = {name: value for name, value in question.items() if name != "input_ids"}
        embedded = model.get_input_embeddings()(question["input_ids"])
        for one, other in zip(
            answers(model, question), answers(model, {**others, "inputs_embeds": embedded}), strict=True
        ):
            torch.testing.assert_close(one, other)
        with pytest.raises(ValueError, match="expected input_ids or inputs_embeds"):
            model(**others)

    @pytest.mark.parametrize("model_type", ["bert", "modernbert", "dgcnn"])
    def test_states_of_all_layers(self, model_type, question):
        model = builders.spo_model(dgcnn_config()) if model_type == "dgcnn" else model_of(model_type)
        output = model(**question, output_hidden_states=True, output_attentions=False)
        assert len(output.hidden_states) == model.config.get_text_config().num_hidden_layers + 1
        torch.testing.assert_close(output.hidden_states[-1], output.last_hidden_state)
        assert model(**question).hidden_states is None

    def test_attentions(self, question):
        model = model_of("bert")
        model.set_attn_implementation("eager")
        assert len(model(**question, output_attentions=True).attentions) == 2

    def test_a_tuple_has_the_order_of_the_fields(self, question, batch):
        model = model_of("bert")
        assert torch.equal(model(**question, return_dict=False)[0], model(**question)[0])
        assert torch.equal(model(**question)[0], model(**question).subject_probs)
        assert torch.equal(model(**batch, return_dict=False)[0], model(**batch).loss)

    @pytest.mark.parametrize("settings", [{}, {"conditioning": "recurrent", "prior": True, "global_gates": True}])
    def test_objects_of_sentences_that_are_encoded_already(self, settings, question):
        model = stirred(model_of("bert", **settings))
        inputs = with_parts(model, question)
        subjects = {name: inputs.pop(name) for name in ("subject_rows", "subject_spans")}
        with torch.no_grad():
            first = model(**inputs)
            second = model(sentences=first.sentences, **subjects)
            assert torch.equal(second.object_probs, model(**inputs, **subjects).object_probs)
        assert second.subject_probs is None


class TestCompile:
    """Extraction runs what `torch.compile` makes of the model."""

    @pytest.mark.parametrize("in_place", [True, False])
    def test_extraction_runs_it(self, in_place, tiny_tokenizer, restored_dynamo):
        model, counter = model_of("bert", global_gates=True), CompileCounter()
        decoding = DecodingSettings(Thresholds(0.0, 0.0, 1e-4, 1e-4))
        extract = make_extractor(model, tiny_tokenizer, decoding=decoding)
        texts = [example.text for example in builders.EXAMPLES[:2]]
        plain = list(extract(texts))
        if in_place:
            model.compile(backend=counter)
        else:
            model = torch.compile(model, backend=counter)
        assert list(make_extractor(model, tiny_tokenizer, decoding=decoding)(texts)) == plain
        assert any(plain)
        assert counter.frame_count >= 2  # both passes

    @pytest.fixture
    def restored_dynamo(self):
        yield
        torch._dynamo.reset()


class TestConditioning:
    @EVERY_ENCODER
    @pytest.mark.parametrize("attention", ["eager", None])
    def test_before_is_the_input_of_the_last_normalisation(self, model_type, attention, question):
        model = stirred(model_of(model_type, conditioning_position="before"))
        if attention:
            model.set_attn_implementation(attention)
        output = model(**question)
        normalised = last_layer_norm(model.encoder)(output.conditioned_state)
        torch.testing.assert_close(normalised, output.last_hidden_state)
        assert not torch.allclose(output.conditioned_state, output.last_hidden_state)

    @EVERY_ENCODER
    def test_after_is_the_last_hidden_state(self, model_type, question):
        output = model_of(model_type)(**question)
        assert output.conditioned_state is output.last_hidden_state

    def test_before_leaves_no_hook_behind(self, question):
        model = model_of("bert", conditioning_position="before")
        model(**question)
        with pytest.raises(IndexError):
            model(input_ids=torch.full((1, 3), 10**6))
        assert not last_layer_norm(model.encoder)._forward_pre_hooks

    def test_before_is_refused_for_an_encoder_that_is_not_known(self):
        config = AutoConfig.for_model(
            "squeezebert", vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, embedding_size=16
        )
        with pytest.raises(ValueError, match=r'no last normalisation known here; use conditioning_position="after"'):
            builders.spo_model(config, conditioning_position="before")

    def test_objects_depend_on_the_subject(self, question):
        model = stirred(model_of("bert"))
        probs = answers(model, question)[1]
        same_text = [i for i, row in enumerate(question["subject_rows"].tolist()) if row == 1]
        assert len(same_text) == 2
        assert not torch.allclose(probs[same_text[0]], probs[same_text[1]])


class TestSaveAndLoad:
    @EVERY_ENCODER
    @pytest.mark.parametrize("settings", [{}, {"conditioning": "addition", "conditioning_position": "before"}])
    def test_comes_back_bit_by_bit(self, model_type, settings, question, tmp_path):
        model = stirred(model_of(model_type, **settings))
        model.save_pretrained(tmp_path)
        loaded, info = SpoForTripleExtraction.from_pretrained(tmp_path, output_loading_info=True)
        assert not any(info.values())
        assert not loaded.training
        assert_same_weights(model, loaded)
        for before, after in zip(answers(model, question), answers(loaded, question), strict=True):
            assert torch.equal(before, after)

    @pytest.mark.parametrize("auto", [AutoModelForTripleExtraction, AutoModel])
    def test_auto_classes_load_it(self, auto, tiny_model, tmp_path):
        tiny_model.save_pretrained(tmp_path)
        loaded = auto.from_pretrained(tmp_path)
        assert type(loaded) is SpoForTripleExtraction
        assert_same_weights(tiny_model, loaded)

    def test_auto_class_builds_one_from_a_config(self):
        config = SpoConfig(encoder_config=builders.encoder_config(), relations=builders.SCHEMA.to_list(), max_length=64)
        assert type(AutoModelForTripleExtraction.from_config(config)) is SpoForTripleExtraction

    def test_in_shards(self, tiny_model, tmp_path):
        tiny_model.save_pretrained(tmp_path, max_shard_size="20KB")
        assert len(list(tmp_path.glob("*.safetensors"))) > 1
        assert_same_weights(tiny_model, SpoForTripleExtraction.from_pretrained(tmp_path))

    def test_files_are_json_and_safetensors_only(self, tiny_model, tiny_tokenizer, tmp_path):
        tiny_model.save_pretrained(tmp_path)
        tiny_tokenizer.save_pretrained(tmp_path)
        assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}

    @EVERY_ENCODER
    def test_in_bfloat16(self, model_type, question, tmp_path):
        model_of(model_type).save_pretrained(tmp_path)
        loaded = SpoForTripleExtraction.from_pretrained(tmp_path, dtype=torch.bfloat16)
        assert {parameter.dtype for parameter in loaded.parameters()} == {torch.bfloat16}
        for probs in answers(loaded, question):
            assert probs.dtype == torch.float32
            assert torch.isfinite(probs).all()

    def test_a_half_precision_checkpoint_keeps_its_type_and_can_be_widened(self, tiny_model, tmp_path):
        tiny_model.to(torch.float16).save_pretrained(tmp_path)
        assert SpoForTripleExtraction.from_pretrained(tmp_path).dtype == torch.float16
        widened = SpoForTripleExtraction.from_pretrained(tmp_path, dtype=torch.float32)
        assert {parameter.dtype for parameter in widened.parameters()} == {torch.float32}

    def test_other_number_of_relations_gets_a_fresh_head_on_request(self, tiny_model, tmp_path):
        tiny_model.save_pretrained(tmp_path)
        relations = builders.SCHEMA.to_list()[:3]
        with pytest.raises(ValueError, match="ignore_mismatched_sizes"):
            SpoForTripleExtraction.from_pretrained(tmp_path, relations=relations)
        loaded = SpoForTripleExtraction.from_pretrained(tmp_path, relations=relations, ignore_mismatched_sizes=True)
        assert loaded.object_head.weight.shape == (6, 32)
        assert torch.isfinite(loaded.object_head.weight).all()
        torch.testing.assert_close(loaded.object_head.bias, torch.full((6,), loaded.object_head.initial_bias))

    def test_checkpoint_without_heads_gets_properly_initialised_ones(self, tiny_model, tmp_path):
        """Weights that a checkpoint lacks come as raw memory unless _init_weights fills them."""
        keep = {name: value for name, value in tiny_model.state_dict().items() if name.startswith("encoder.")}
        tiny_model.save_pretrained(tmp_path, state_dict=keep)
        loaded = SpoForTripleExtraction.from_pretrained(tmp_path, ignore_mismatched_sizes=True)
        torch.testing.assert_close(loaded.conditioning.weight, torch.ones(32))
        assert loaded.conditioning.gamma_dense.weight.abs().max() == 0
        assert loaded.subject_head.weight.std().item() == pytest.approx(0.02, rel=0.5)
        torch.testing.assert_close(loaded.subject_head.bias, torch.full((2,), loaded.subject_head.initial_bias))

    def test_in_a_fresh_process_offline(self, tiny_model, tiny_tokenizer, question, tmp_path):
        stirred(tiny_model).save_pretrained(tmp_path)
        code = (
            "import sys, torch, hf_spo\n"
            "model = hf_spo.AutoModelForTripleExtraction.from_pretrained(sys.argv[1])\n"
            "print(model(input_ids=torch.arange(5, 15)[None]).subject_probs.sum().item())\n"
        )
        result = subprocess.run(
            [sys.executable, "-W", "error", "-c", code, str(tmp_path)],
            cwd=PARENT, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        expected = tiny_model(input_ids=torch.arange(5, 15)[None]).subject_probs.sum().item()
        assert float(result.stdout) == pytest.approx(expected, rel=1e-6)

    def test_config_without_relations_builds_no_model(self):
        with pytest.raises(ValueError, match="no relations"):
            SpoForTripleExtraction(SpoConfig(encoder_config=builders.encoder_config(), max_length=64))


class TestNativeHabits:
    @EVERY_ENCODER
    def test_vocabulary_can_be_resized_and_saved(self, model_type, question, tmp_path):
        model = model_of(model_type)
        model.resize_token_embeddings(400)
        assert model.config.encoder_config.vocab_size == 400
        model.save_pretrained(tmp_path)
        loaded = SpoForTripleExtraction.from_pretrained(tmp_path)
        assert loaded.get_input_embeddings().weight.shape[0] == 400
        assert_same_weights(model, loaded)

    @pytest.mark.parametrize("model_type", [name for name in builders.ENCODERS if name != "albert"])
    @pytest.mark.parametrize("position", ["before", "after"])
    def test_activation_checkpointing_gives_the_same_gradients(self, model_type, position, batch):
        gradients = []
        for checkpointing in (False, True):
            model = stirred(model_of(model_type, conditioning_position=position)).train()
            if checkpointing:
                # transformers 5.20 has only the second name.
                enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
                enable()
            model(**batch).loss.backward()
            gradients.append({name: parameter.grad for name, parameter in model.named_parameters()})
        for name, gradient in gradients[0].items():
            torch.testing.assert_close(gradients[1][name], gradient, msg=lambda text, name=name: f"{name}: {text}")

    @pytest.mark.parametrize("model_type", [name for name in builders.ENCODERS if name != "deberta-v2"])
    def test_attention_implementations_agree(self, model_type, question, tmp_path):
        stirred(model_of(model_type)).save_pretrained(tmp_path)
        eager, sdpa = (
            SpoForTripleExtraction.from_pretrained(tmp_path, attn_implementation=name) for name in ("eager", "sdpa")
        )
        assert eager.encoder.config._attn_implementation == "eager"
        assert sdpa.encoder.config._attn_implementation == "sdpa"
        mask = question["attention_mask"].bool()
        for one, other in zip(answers(eager, question), answers(sdpa, question), strict=True):
            rows = mask if len(one) == len(mask) else mask[question["subject_rows"]]
            torch.testing.assert_close(one[rows], other[rows], rtol=1e-3, atol=1e-5)

    def test_half_precision_config_of_an_encoder_does_not_leak(self):
        encoder = builders.encoder_config()
        encoder.dtype = torch.bfloat16
        config = SpoConfig(encoder_config=encoder, relations=builders.SCHEMA.to_list(), max_length=64)
        model = AutoModelForTripleExtraction.from_config(config, dtype=torch.float32)
        assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}

    @pytest.mark.parametrize("model_type", ["bert", "roberta", "xlm-roberta", "albert"])
    def test_no_pooler_idles_in_the_encoder(self, model_type):
        assert not [name for name, _ in model_of(model_type).named_parameters() if "pooler" in name]


DECODER = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


class TestFromEncoder:
    @EVERY_ENCODER
    def test_plain_checkpoint(self, model_type, tmp_path):
        encoder = AutoModel.from_config(builders.encoder_config(model_type))
        encoder.save_pretrained(tmp_path)
        self.check(SpoForTripleExtraction.from_encoder(tmp_path, builders.SCHEMA), encoder, tmp_path)

    @EVERY_ENCODER
    def test_checkpoint_with_a_language_modelling_head(self, model_type, tmp_path):
        """Its keys have a prefix, such as `bert.`, as those of nearly all published encoders."""
        trained = AutoModelForMaskedLM.from_config(builders.encoder_config(model_type))
        trained.save_pretrained(tmp_path)
        self.check(SpoForTripleExtraction.from_encoder(tmp_path, builders.SCHEMA), trained.base_model, tmp_path)

    def check(self, model, encoder, folder):
        own = model.encoder.state_dict()
        for name, value in encoder.state_dict().items():
            assert name.startswith("pooler.") or torch.equal(own[name], value), name
        assert model.config.schema == builders.SCHEMA
        model.save_pretrained(folder / "again")
        assert_same_weights(model, SpoForTripleExtraction.from_pretrained(folder / "again"))

    def test_names_of_relations(self, tmp_path):
        AutoModel.from_config(builders.encoder_config()).save_pretrained(tmp_path)
        model = SpoForTripleExtraction.from_encoder(tmp_path, ["导演", ("人物", "出生地", "地点")])
        assert list(model.config.schema) == [Relation("", "导演", ""), Relation("人物", "出生地", "地点")]

    def test_half_precision_checkpoint_becomes_float32(self, tmp_path):
        AutoModel.from_config(builders.encoder_config()).to(torch.float16).save_pretrained(tmp_path)
        model = SpoForTripleExtraction.from_encoder(tmp_path, builders.SCHEMA)
        assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}

    def test_checkpoint_that_lacks_weights_of_the_encoder_is_refused(self, tmp_path):
        encoder = AutoModel.from_config(builders.encoder_config())
        partial = {name: value for name, value in encoder.state_dict().items() if "layer.1." not in name}
        encoder.save_pretrained(tmp_path, state_dict=partial)
        with pytest.raises(ValueError, match=r"lacks 16 of the weights of BertModel, such as encoder\.layer\.1\."):
            SpoForTripleExtraction.from_encoder(tmp_path, builders.SCHEMA)

    def test_checkpoint_of_another_family_is_refused(self, tmp_path):
        AutoModel.from_config(builders.encoder_config("distilbert")).save_pretrained(tmp_path)
        config = json.loads((tmp_path / "config.json").read_text())
        builders.encoder_config("bert").save_pretrained(tmp_path)
        assert config["model_type"] == "distilbert"
        with pytest.raises(ValueError, match="Pass a checkpoint whose encoder is a bert"):
            SpoForTripleExtraction.from_encoder(tmp_path, builders.SCHEMA)

    def test_triple_extraction_model_is_refused_with_the_way_to_load_it(self, tiny_model, tmp_path):
        tiny_model.save_pretrained(tmp_path)
        with pytest.raises(ValueError, match=r"triple-extraction model.*from_pretrained"):
            SpoForTripleExtraction.from_encoder(tmp_path, builders.SCHEMA)

    def test_settings_of_both_levels(self, tmp_path):
        AutoModel.from_config(builders.encoder_config()).save_pretrained(tmp_path)
        model = SpoForTripleExtraction.from_encoder(
            tmp_path,
            builders.SCHEMA,
            encoder_config={"hidden_dropout_prob": 0.3},
            attn_implementation="eager",
            conditioning_position="before",
            subject_power=1,
        )
        assert model.config.encoder_config.hidden_dropout_prob == 0.3
        assert model.encoder.config._attn_implementation == "eager"
        assert model.config.conditioning_position == "before"
        assert model.config.subject_power == 1

    def test_unknown_setting_is_refused(self, tmp_path):
        AutoModel.from_config(builders.encoder_config()).save_pretrained(tmp_path)
        with pytest.raises(TypeError, match="did you mean subject_power"):
            SpoForTripleExtraction.from_encoder(tmp_path, builders.SCHEMA, subject_powr=1)

    @pytest.mark.parametrize(
        ("model_type", "settings", "reason"),
        [
            ("t5", {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}, "is an encoder-decoder"),
            ("bart", {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1}, "is an encoder-decoder"),
            ("gpt2", {"n_embd": 16, "n_layer": 1, "n_head": 2}, "GPT2Model is a causal decoder"),
            ("qwen2", {**DECODER, "num_key_value_heads": 2}, "Qwen2Model is a causal decoder"),
            ("mamba", {"hidden_size": 16, "num_hidden_layers": 1}, "MambaModel is a causal decoder"),
        ],
    )
    def test_only_bidirectional_encoders(self, model_type, settings, reason, tmp_path):
        AutoModel.from_config(AutoConfig.for_model(model_type, vocab_size=60, **settings)).save_pretrained(tmp_path)
        with pytest.raises(ValueError, match=f"{reason}.* expected a bidirectional encoder"):
            SpoForTripleExtraction.from_encoder(tmp_path, builders.SCHEMA)

    def test_a_plain_encoder_is_no_model_to_load(self, tmp_path):
        AutoModel.from_config(builders.encoder_config()).save_pretrained(tmp_path)
        with pytest.raises(ValueError, match=r"model_type 'hf_spo', got 'bert'.*from_encoder\(path, schema\)"):
            SpoForTripleExtraction.from_pretrained(tmp_path)

    def test_length_is_that_which_the_encoder_has_positions_for(self, tmp_path):
        AutoModel.from_config(builders.encoder_config()).save_pretrained(tmp_path)
        assert SpoForTripleExtraction.from_encoder(tmp_path, builders.SCHEMA).config.max_length == 80
        assert SpoForTripleExtraction.from_encoder(tmp_path, builders.SCHEMA, max_length=40).config.max_length == 40
        with pytest.raises(ValueError, match="max_length=100: BertModel has 80 positions; pass max_length=80 or less"):
            SpoForTripleExtraction.from_encoder(tmp_path, builders.SCHEMA, max_length=100)


class TestPositions:
    @pytest.mark.parametrize(
        ("model_type", "limit"),
        [("bert", 80), ("roberta", 79), ("xlm-roberta", 79), ("electra", 80), ("distilbert", 80), ("albert", 80)],
    )
    def test_the_longest_sequence_can_be_read(self, model_type, limit):
        model = model_of(model_type)
        assert position_limit(model.encoder) == limit
        ids = torch.full((1, limit), 7)
        assert model(input_ids=ids).subject_probs.shape == (1, limit, 2)

    @pytest.mark.parametrize("model_type", ["modernbert"])
    def test_relative_positions_have_no_limit(self, model_type):
        assert position_limit(model_of(model_type).encoder) is None

    def test_no_model_is_built_that_would_fail_on_a_long_text(self):
        with pytest.raises(ValueError, match="max_length=80: RobertaModel has 79 positions"):
            model_of("roberta", max_length=80)


def test_masked_mean():
    values = torch.tensor([[1.0, 2.0], [3.0, 100.0]])
    assert masked_mean(values, torch.tensor([[1.0, 1.0], [1.0, 0.0]])).item() == 2
    assert masked_mean(values, torch.zeros(2, 2)).item() == 0


class TestOverfit:
    """Eight sentences are learnt by heart: encoder, loss, labels, decoding and alignment agree with one another."""

    def check(self, model, tokenizer, rate=3e-3):
        loss = builders.overfit(model, builders.training_batch(builders.EXAMPLES, tokenizer), steps=400, rate=rate)
        extract = TripleExtractor(TorchBackend(model), tokenizer, builders.SCHEMA, max_length=80)
        results = list(extract([item.text for item in builders.EXAMPLES]))
        assert [builders.facts(r) for r in results] == [builders.facts(e.triples) for e in builders.EXAMPLES], loss

    @EVERY_ENCODER
    def test_every_encoder(self, model_type, tiny_tokenizer):
        self.check(builders.spo_model(builders.encoder_config(model_type, size=64)), tiny_tokenizer)

    @pytest.mark.parametrize(
        "settings",
        [
            {"conditioning_position": "before"},
            {"conditioning": "addition"},
            {"conditioning": "addition", "conditioning_position": "before"},
            {"subject_power": 1, "object_power": 1},
            {"conditioning": "recurrent", "head_attention_heads": 2, "global_gates": True},
            {"conditioning": "concatenation", "conditioning_position": "before"},
        ],
    )
    def test_every_way_of_conditioning_and_no_power(self, settings, tiny_tokenizer):
        self.check(builders.spo_model(builders.encoder_config("bert", size=64), **settings), tiny_tokenizer)

    def test_convolutions_over_characters(self):
        tokenizer = character_tokenizer(builders.SENTENCES, min_count=1)
        encoder = dgcnn_config(len(tokenizer), size=64, hidden_dropout_prob=0.0, gate_dropout_prob=0.0)
        settings = {"conditioning": "recurrent", "head_attention_heads": 2, "global_gates": True}
        self.check(builders.spo_model(encoder, **settings), tokenizer)

    def test_every_tokenizer(self, any_tokenizer):
        encoder = builders.encoder_config("bert", len(any_tokenizer), size=64)
        self.check(builders.spo_model(encoder), any_tokenizer)


def test_objects_of_some_relations_are_those_of_all(tiny_tokenizer):
    model = builders.spo_model(global_gates=True)
    batch = builders.training_batch(builders.EXAMPLES[:2], tiny_tokenizer)
    labels = torch.tensor([3, 11, 5])
    with torch.no_grad():
        sentences = model.encode(batch["input_ids"], batch["attention_mask"])
        some, every = (
            model.object_logits(sentences, batch["subject_rows"], batch["subject_spans"], of) for of in (labels, None)
        )
    assert torch.allclose(some[0], every[0][:, :, labels], atol=1e-6)
    assert torch.equal(some[1][2], every[1][2][:, :, labels])


def test_a_schema_of_one_relation(tiny_tokenizer):
    schema = Schema([Relation("图书作品", "作者", "人物")])
    batch = builders.training_batch([builders.EXAMPLES[4]], tiny_tokenizer, schema)
    assert builders.spo_model(schema=schema)(**batch).loss.item() > 0


def test_loading_says_nothing(tiny_model, tmp_path, caplog):
    tiny_model.save_pretrained(tmp_path)
    with caplog.at_level(logging.INFO):
        SpoForTripleExtraction.from_pretrained(tmp_path)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


PARTS = [
    dict(zip(("conditioning", "encoder", "heads", "gates", "prior"), values, strict=True))
    for values in product(
        ("layer_norm", "addition", "recurrent", "concatenation"),
        ("bert", "dgcnn"),
        (0, 2),
        (False, True),
        (False, True),
    )
]
EVERY_PART = pytest.mark.parametrize("parts", PARTS, ids=lambda parts: " ".join(map(str, parts.values())))


def parts_model(conditioning, encoder="bert", heads=0, gates=False, prior=False, **settings):
    words = {"word_vocab_size": 7, "word_embedding_size": 5, "segmenter": "characters"}
    encoders = {"dgcnn": dgcnn_config(**words)}
    return stirred(
        builders.spo_model(
            encoders.get(encoder) or builders.encoder_config(encoder),
            conditioning=conditioning,
            head_attention_heads=heads,
            head_attention_size=4,
            global_gates=gates,
            prior=prior,
            **settings,
        )
    )


def with_parts(model, batch):
    """Add words and candidates: each subject of the batch, with two objects of random places and relations."""
    inputs = dict(batch)
    if model.takes_words:
        inputs["word_ids"] = batch["input_ids"] % 7
    if model.config.prior:
        subjects = torch.cat([batch["subject_rows"][:, None], batch["subject_spans"]], dim=1).repeat(2, 1)
        generator = torch.Generator().manual_seed(5)
        starts = torch.randint(1, 5, (len(subjects), 1), generator=generator)
        relations = torch.randint(0, len(builders.SCHEMA), (len(subjects), 1), generator=generator)
        inputs["prior"] = torch.cat([subjects, starts, starts + 1, relations], dim=1)
    return inputs


def row_alone(question, row):
    """Cut one text out of a batch, with its subjects and candidates, and without padding."""
    length = int(question["attention_mask"][row].sum())
    own = question["subject_rows"] == row
    alone = {
        name: question[name][row : row + 1, :length]
        for name in ("input_ids", "attention_mask", "word_ids")
        if name in question
    }
    alone |= {"subject_rows": torch.zeros_like(question["subject_rows"][own])}
    alone |= {"subject_spans": question["subject_spans"][own]}
    if "prior" in question:
        alone["prior"] = question["prior"][question["prior"][:, 0] == row].clone()
        alone["prior"][:, 0] = 0
    return alone, own, length


class TestParts:
    @EVERY_PART
    def test_probabilities_and_gradients(self, batch, question, parts):
        model = parts_model(**parts)
        rows, length = batch["input_ids"].shape
        subjects, objects = answers(model, with_parts(model, question))
        assert subjects.shape == (rows, length, 2)
        assert objects.shape == (len(batch["subject_rows"]), length, len(builders.SCHEMA), 2)
        for probs in (subjects, objects):
            assert probs.dtype == torch.float32
            assert ((probs >= 0) & (probs <= 1)).all()
            assert probs.std() > 0
        model.train()
        model(**with_parts(model, batch)).loss.backward()
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                assert parameter.grad is not None, name
                assert torch.isfinite(parameter.grad).all(), name
                assert name.startswith("encoder.") or parameter.grad.abs().max() > 0, name

    @EVERY_PART
    def test_a_text_alone_and_in_a_padded_batch(self, question, parts):
        model = parts_model(**parts)
        inputs = with_parts(model, question)
        together = answers(model, inputs)
        lengths = inputs["attention_mask"].sum(1)
        for row in (int(lengths.argmin()), int(lengths.argmax())):
            single, own, length = row_alone(inputs, row)
            subjects, objects = answers(model, single)
            torch.testing.assert_close(together[0][row : row + 1, :length], subjects, rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(together[1][own][:, :length], objects, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("conditioning", ["layer_norm", "addition", "recurrent", "concatenation"])
    @pytest.mark.parametrize("encoder", ["bert", "dgcnn"])
    def test_in_bfloat16(self, conditioning, encoder, question):
        model = parts_model(conditioning, encoder, 2, True, True).to(torch.bfloat16)
        for probs in answers(model, with_parts(model, question)):
            assert probs.dtype == torch.float32
            assert torch.isfinite(probs).all()

    @pytest.mark.parametrize("conditioning", ["layer_norm", "addition", "recurrent", "concatenation"])
    def test_a_batch_without_any_subject_has_a_loss(self, conditioning, batch):
        model = parts_model(conditioning, "dgcnn", 2, True, True)
        inputs = with_parts(model, batch)
        for name in ("subject_rows", "subject_spans", "object_labels", "prior"):
            inputs[name] = inputs[name][:0]
        output = model(**inputs)
        assert output.object_loss.item() == 0
        output.loss.backward()

    @pytest.mark.parametrize("encoder", ["bert", "dgcnn"])
    def test_losses_are_those_of_the_gated_probabilities(self, encoder, batch, question):
        model = parts_model("recurrent", encoder, 2, True, True)
        output = model(**with_parts(model, batch))
        subjects, objects = answers(model, with_parts(model, question))
        mask = batch["attention_mask"].bool()
        entropy = nn.functional.binary_cross_entropy
        expected = entropy(subjects, batch["subject_labels"], reduction="none").mean(-1)[mask].mean()
        torch.testing.assert_close(output.subject_loss, expected, rtol=1e-4, atol=1e-5)
        losses = entropy(objects, batch["object_labels"], reduction="none").mean(-1).sum(-1)
        expected = losses[mask[batch["subject_rows"]]].mean()
        torch.testing.assert_close(output.object_loss, expected, rtol=1e-4, atol=1e-5)

    @EVERY_PART
    def test_saved_and_loaded_is_the_same(self, question, tmp_path, parts):
        model = parts_model(**parts)
        if model.takes_words:
            model.features.words = WordVocabulary("白露雪国主演"[: 7 - 1], "characters")
        if model.config.prior:
            model.features.prior = TripleStore.from_examples(builders.EXAMPLES, builders.SCHEMA)
        model.save_pretrained(tmp_path)
        loaded = SpoForTripleExtraction.from_pretrained(tmp_path)
        assert_same_weights(model, loaded)
        inputs = with_parts(model, question)
        for one, other in zip(answers(model, inputs), answers(loaded, inputs), strict=True):
            assert torch.equal(one, other)

    def test_gates_only_ever_lower_a_probability(self, question):
        """Each is a factor of at most 1."""
        model = parts_model("recurrent", "dgcnn", 2, True)
        inputs = with_parts(model, question)
        gated = answers(model, inputs)
        model.gates = None
        for lower, upper in zip(gated, answers(model, inputs), strict=True):
            assert (lower <= upper).all()
            assert (lower < upper).any()

    @pytest.mark.parametrize("conditioning", ["layer_norm", "recurrent"])
    def test_objects_depend_on_the_subject(self, conditioning, question):
        model = parts_model(conditioning, "dgcnn", 2, True, True)
        probs = answers(model, with_parts(model, question))[1]
        same_text = [i for i, row in enumerate(question["subject_rows"].tolist()) if row == 1]
        assert not torch.allclose(probs[same_text[0]], probs[same_text[1]])


class TestPriorChannels:
    @pytest.fixture
    def model(self):
        return parts_model("recurrent", "dgcnn", 0, False, True)

    def test_candidates_are_of_their_own_sentence(self, model, question):
        inputs = with_parts(model, question)
        nothing = answers(model, {**inputs, "prior": inputs["prior"][:0]})
        second = answers(model, {**inputs, "prior": inputs["prior"][inputs["prior"][:, 0] == 1]})
        changed = (nothing[0] != second[0]).flatten(1).any(1)
        assert changed.tolist() == [row == 1 for row in range(len(changed))]
        changed = (nothing[1] != second[1]).flatten(1).any(1)
        assert changed.tolist() == (inputs["subject_rows"] == 1).tolist()

    def test_objects_are_of_their_own_subject(self, model, question):
        inputs = with_parts(model, question)
        first, other = (int(i) for i in (inputs["subject_rows"] == 1).nonzero())
        subject = [1, *inputs["subject_spans"][first].tolist()]
        one, two = (
            answers(model, {**inputs, "prior": torch.tensor([[*subject, *value]])})[1]
            for value in ((3, 4, 2), (6, 6, 5))
        )
        assert not torch.allclose(one[first], two[first])
        assert torch.equal(one[other], two[other])

    def test_the_same_candidate_twice_is_one(self, model, question):
        inputs = with_parts(model, question)
        twice = {**inputs, "prior": inputs["prior"].repeat(2, 1)}
        for one, two in zip(answers(model, inputs), answers(model, twice), strict=True):
            assert torch.equal(one, two)

    def test_missing_candidates_are_named(self, model, question):
        inputs = with_parts(model, question)
        del inputs["prior"]
        with pytest.raises(ValueError, match=r"expected prior, .*annotate.*\(0, 6\)"):
            model(**inputs)

    def test_a_model_without_prior_ignores_candidates(self, question):
        model = parts_model("recurrent")
        prior = with_parts(parts_model("recurrent", prior=True), question)["prior"]
        for one, two in zip(answers(model, question), answers(model, {**question, "prior": prior}), strict=True):
            assert torch.equal(one, two)

    def test_missing_words_are_named(self, model, question):
        inputs = with_parts(model, question)
        del inputs["word_ids"]
        with pytest.raises(ValueError, match="expected word_ids"):
            model(**inputs)


class TestDistances:
    """Which table of positions the distance to a subject is embedded by."""

    @pytest.mark.parametrize(("model_type", "first"), [("bert", 0), ("roberta", 1), ("xlm-roberta", 1), ("albert", 0)])
    @pytest.mark.parametrize("conditioning", ["recurrent", "concatenation"])
    def test_the_encoders_own_beyond_the_paddings(self, model_type, first, conditioning):
        model = model_of(model_type, conditioning=conditioning)
        own = model.encoder.embeddings.position_embeddings
        assert model.position_embeddings is None
        table = model._position_table()
        assert len(table) == 80 - first == position_limit(model.encoder)
        assert table.data_ptr() == own.weight[first:].data_ptr()

    @pytest.mark.parametrize("encoder", ["modernbert", "dgcnn"])
    def test_a_table_of_the_models_own_where_the_encoder_has_none(self, encoder, question):
        config = dgcnn_config(max_position_embeddings=0) if encoder == "dgcnn" else builders.encoder_config(encoder)
        model = builders.spo_model(config, conditioning="recurrent", max_length=50)
        assert model.position_embeddings.weight.shape == (50, 32)
        assert model.position_embeddings.weight.abs().max() == 0
        assert model._position_table() is model.position_embeddings.weight
        model(**question).object_probs.sum().backward()
        assert model.position_embeddings.weight.grad.abs().max() > 0

    def test_a_convolutional_encoder_shares_its_own(self):
        model = builders.spo_model(dgcnn_config(max_position_embeddings=70), conditioning="recurrent")
        assert model.position_embeddings is None
        assert len(model._position_table()) == 70

    @pytest.mark.parametrize("conditioning", ["layer_norm", "addition"])
    def test_none_without_distances(self, conditioning):
        assert model_of("modernbert", conditioning=conditioning).position_embeddings is None


class TestObjectTokens:
    """Objects pointed at in some tokens have there the probabilities of all."""

    rows, spans = np.array([0, 1, 1]), np.array([[1, 2], [2, 2], [0, 3]])

    def backend(self, **settings):
        return TorchBackend(stirred(builders.spo_model(dgcnn_config(), global_gates=True, **settings)))

    def state(self, backend):
        ids = np.arange(14).reshape(2, 7)
        return backend.subjects(Batch(ids, np.ones_like(ids), ids >= 0))[0]

    @pytest.mark.parametrize("conditioning", ["layer_norm", "addition", "recurrent", "concatenation"])
    def test_of_every_conditioning(self, conditioning):
        backend, tokens = self.backend(conditioning=conditioning), np.array([[5, 0], [1, 6], [3, 4]])
        state = self.state(backend)
        every = backend.objects(state, self.rows, self.spans)
        some = backend.objects(state, self.rows, self.spans, tokens)
        np.testing.assert_allclose(some, every[np.arange(3)[:, None], tokens], rtol=1e-5)
        assert (every <= backend.object_limits(state)[self.rows][:, :, None]).all()

    @pytest.mark.parametrize("settings", [{"head_attention_heads": 2, "conditioning": "layer_norm"}, {"prior": True}])
    def test_a_convolution_over_all_permits_none(self, settings):
        backend = self.backend(**settings)
        assert not backend.model.points_anywhere

    def test_without_gates_no_limit_is_known(self):
        backend = TorchBackend(builders.spo_model(dgcnn_config()))
        assert backend.object_limits(self.state(backend)) is None


class TestFeatures:
    TEXTS = tuple(example.text for example in builders.EXAMPLES)

    @pytest.fixture
    def tokenizer(self):
        return character_tokenizer(self.TEXTS, min_count=1)

    @pytest.fixture
    def model(self, tokenizer):
        words = WordVocabulary("白露雪国主演", "characters")
        config = dgcnn_config(len(tokenizer), word_vocab_size=len(words), word_embedding_size=5, segmenter="characters")
        model = stirred(builders.spo_model(config, conditioning="recurrent", prior=True, global_gates=True))
        model.features = Features(words, TripleStore.from_examples(builders.EXAMPLES, builders.SCHEMA))
        return model

    def predictions(self, model, tokenizer, texts=TEXTS):
        """Return all subject probabilities, and the object probabilities of every text's first token."""
        encodings = encode(tokenizer, texts, 64)
        model.features.annotate(encodings)
        backend = TorchBackend(model)
        state, subjects = backend.subjects(pad(encodings, 0))
        rows = np.arange(len(texts))
        return subjects, backend.objects(state, rows, np.zeros((len(rows), 2), dtype=np.int64))

    def test_they_are_saved_and_loaded_with_the_model(self, model, tokenizer, tmp_path):
        model.save_pretrained(tmp_path)
        assert {"words.txt", "prior.jsonl"} <= {path.name for path in tmp_path.iterdir()}
        for auto in (SpoForTripleExtraction, AutoModelForTripleExtraction):
            loaded = auto.from_pretrained(tmp_path).eval()
            assert loaded.features.words.words == model.features.words.words
            assert loaded.features.words.segmenter == "characters"
            assert len(loaded.features.prior) == len(model.features.prior) > 0
            for one, other in zip(self.predictions(loaded, tokenizer), self.predictions(model, tokenizer), strict=True):
                assert (one == other).all()

    def test_they_come_with_loading_info_too(self, model, tmp_path):
        model.save_pretrained(tmp_path)
        loaded, info = SpoForTripleExtraction.from_pretrained(tmp_path, output_loading_info=True)
        assert not info["missing_keys"]
        assert loaded.features.words is not None

    def test_they_are_uploaded_with_the_model(self, model, tmp_path, monkeypatch):
        uploaded = []
        hub = SimpleNamespace(
            create_repo=lambda *_, **__: SimpleNamespace(repo_id="some/name"),
            create_commit=lambda operations, **_: uploaded.extend(one.path_in_repo for one in operations),
        )
        for module in (modeling_utils, transformers_hub):
            monkeypatch.setattr(module, "hf_api", lambda: hub)
        card = SimpleNamespace(save=lambda _: None)
        monkeypatch.setattr(modeling_utils, "create_and_tag_model_card", lambda *_, **__: card)
        model.save_pretrained(tmp_path, push_to_hub=True)
        assert {"config.json", "model.safetensors", "words.txt", "prior.jsonl"} <= set(uploaded)

    @pytest.mark.parametrize("name", ["words.txt", "prior.jsonl"])
    def test_a_missing_file_is_named(self, model, tmp_path, name):
        model.save_pretrained(tmp_path)
        (tmp_path / name).unlink()
        with pytest.raises(ValueError, match=f"has no {name}, which this model reads beside its text; save the model"):
            SpoForTripleExtraction.from_pretrained(tmp_path)

    def test_a_model_that_needs_none_saves_and_loads_none(self, tiny_model, tmp_path):
        tiny_model.save_pretrained(tmp_path)
        assert not {"words.txt", "prior.jsonl"} & {path.name for path in tmp_path.iterdir()}
        features = SpoForTripleExtraction.from_pretrained(tmp_path).features
        assert (features.words, features.prior) == (None, None)

    def test_the_word_table_stays_frozen(self, model, tmp_path):
        table = model.encoder.embeddings.word_embeddings.weight
        assert not table.requires_grad
        model.save_pretrained(tmp_path)
        assert not SpoForTripleExtraction.from_pretrained(
            tmp_path
        ).encoder.embeddings.word_embeddings.weight.requires_grad

    def test_a_saved_encoder_gets_fresh_heads(self, model, tmp_path):
        model.encoder.save_pretrained(tmp_path)
        again = SpoForTripleExtraction.from_encoder(tmp_path, builders.SCHEMA, conditioning="concatenation")
        for name, weight in model.encoder.state_dict().items():
            assert torch.equal(again.encoder.state_dict()[name], weight), name

    def test_extraction_reads_them(self, model, tokenizer):
        """Alone and together, a text gives the same triples, and others once the store is empty."""
        # So that some tokens are borders, and some are not.
        probs = self.predictions(model, tokenizer, self.TEXTS[:1])
        limits = (float(np.quantile(part[..., side], 0.4)) * 1.001 for part in probs for side in (0, 1))
        thresholds = Thresholds(*limits)

        def extract(texts, features):
            extractor = TripleExtractor(
                TorchBackend(model),
                tokenizer,
                builders.SCHEMA,
                max_length=64,
                features=features,
                decoding=DecodingSettings(thresholds),
            )
            return [builders.facts(triples) for triples in extractor(texts)]

        together = extract(self.TEXTS, model.features)
        assert any(together)
        assert [extract([text], model.features)[0] for text in self.TEXTS] == together
        assert extract(self.TEXTS, Features(model.features.words, TripleStore(builders.SCHEMA))) != together

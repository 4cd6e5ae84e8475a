"""The model: with every encoder, it behaves as a model of transformers does."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import builders
import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM

from hf_spo import AutoModelForTripleExtraction, Relation, Schema, SpoConfig, SpoForTripleExtraction, TripleExtractor
from hf_spo.modeling_spo import TorchBackend, last_layer_norm, masked_mean, position_limit

EVERY_ENCODER = pytest.mark.parametrize("model_type", builders.ENCODERS)
PARENT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def batch(tiny_tokenizer):
    return builders.training_batch(builders.EXAMPLES, tiny_tokenizer)


@pytest.fixture(scope="module")
def question(batch):
    """The same without labels."""
    return {name: tensor for name, tensor in batch.items() if not name.endswith("labels")}


def model_of(model_type, **settings):
    return builders.spo_model(builders.encoder_config(model_type), **settings)


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
        with pytest.raises(TypeError):
            model(input_ids="nonsense")
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
        with pytest.raises(RuntimeError, match="ignore_mismatched_sizes"):
            SpoForTripleExtraction.from_pretrained(tmp_path, relations=relations)
        loaded = SpoForTripleExtraction.from_pretrained(tmp_path, relations=relations, ignore_mismatched_sizes=True)
        assert loaded.object_head.weight.shape == (6, 32)
        assert torch.isfinite(loaded.object_head.weight).all()
        torch.testing.assert_close(loaded.object_head.bias, torch.full((6,), loaded.object_head.initial_bias))

    def test_checkpoint_without_heads_gets_properly_initialised_ones(self, tiny_model, tmp_path):
        """Weights that a checkpoint lacks come as raw memory unless _init_weights fills them."""
        keep = {name: value for name, value in tiny_model.state_dict().items() if name.startswith("encoder.")}
        tiny_model.save_pretrained(tmp_path, state_dict=keep)
        loaded = SpoForTripleExtraction.from_pretrained(tmp_path)
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
                model.activation_checkpointing_enable()
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
        ],
    )
    def test_every_way_of_conditioning_and_no_power(self, settings, tiny_tokenizer):
        self.check(builders.spo_model(builders.encoder_config("bert", size=64), **settings), tiny_tokenizer)

    def test_every_tokenizer(self, any_tokenizer):
        encoder = builders.encoder_config("bert", len(any_tokenizer), size=64)
        self.check(builders.spo_model(encoder), any_tokenizer)


def test_a_schema_of_one_relation(tiny_tokenizer):
    schema = Schema([Relation("图书作品", "作者", "人物")])
    batch = builders.training_batch([builders.EXAMPLES[4]], tiny_tokenizer, schema)
    assert builders.spo_model(schema=schema)(**batch).loss.item() > 0


def test_loading_says_nothing(tiny_model, tmp_path, caplog):
    tiny_model.save_pretrained(tmp_path)
    with caplog.at_level(logging.INFO):
        SpoForTripleExtraction.from_pretrained(tmp_path)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]

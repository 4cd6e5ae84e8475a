from dataclasses import replace

import pytest
import torch
from transformers import AutoConfig

from hf_spo import DgcnnModel, Relation, Schema, SpoForTripleExtraction, TripleStore
from hf_spo.model.alignment import encode
from hf_spo.model.relation_rules import RelationRules
from hf_spo.training.start import fresh_model, starting_model
from tests import builders


@pytest.fixture
def encoder_folder(tmp_path, tiny_model):
    tiny_model.encoder.save_pretrained(tmp_path / "encoder")
    return tmp_path / "encoder"


def test_an_encoder_gets_fresh_heads(encoder_folder, tiny_model, tiny_schema):
    model = starting_model(encoder_folder, tiny_schema, subject_power=3, max_length=40)
    assert (model.config.subject_power, model.config.max_length) == (3, 40)
    for name, weight in tiny_model.encoder.state_dict().items():
        assert torch.equal(model.encoder.state_dict()[name], weight), name


def test_a_model_of_the_same_schema_goes_on(trained_folder, trained_model, tiny_schema):
    model = starting_model(trained_folder, tiny_schema)
    states = model.state_dict(), trained_model.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[1])


def test_a_model_of_another_schema_keeps_what_it_knows(trained_folder, trained_model, tmp_path):
    new = Schema.from_list([{"subject_type": "人物", "predicate": "国籍", "object_type": "国家"}])
    schema = Schema([*reversed(builders.SCHEMA.relations[:3]), *new])
    model = starting_model(trained_folder, schema)
    assert model.config.schema == schema
    for ours, theirs in ((model.object_head.weight, trained_model.object_head.weight),
                         (model.object_head.bias, trained_model.object_head.bias)):  # fmt: skip
        assert len(ours) == 2 * len(schema)
        for number in range(3):
            old = builders.SCHEMA.find(schema[number].predicate)
            assert torch.equal(ours[2 * number : 2 * number + 2], theirs[2 * old : 2 * old + 2])
    assert torch.allclose(model.object_head.bias[6:], torch.tensor(model.object_head.initial_bias))
    model.save_pretrained(tmp_path)
    assert type(model).from_pretrained(tmp_path).config.schema == schema


@pytest.mark.parametrize("conditioning", ["layer_norm", "recurrent", "concatenation"])
def test_gates_and_prior_go_along_with_the_schema(tmp_path, conditioning):
    tokenizer = builders.wordpiece_tokenizer()
    settings = {"model_type": "dgcnn", "vocab_size": len(tokenizer), "hidden_size": 16, "dilations": [1, 2]}
    model = builders.spo_model(
        AutoConfig.for_model(**settings), conditioning=conditioning, global_gates=True, prior=True, seed=1
    )
    model.features.prior = TripleStore.from_examples(builders.EXAMPLES, builders.SCHEMA)
    model.save_pretrained(tmp_path)
    new = Relation("人物", "国籍", "国家")
    schema = Schema([new, *reversed(builders.SCHEMA.relations[:4])])
    other = starting_model(tmp_path, schema).eval()
    assert other.features.prior is None

    batch = builders.training_batch(builders.EXAMPLES[:3], tokenizer)
    candidates = [
        (row, *batch["subject_spans"][index].tolist(), 3, 4) for index, row in enumerate(batch["subject_rows"])
    ]
    given = {name: batch[name] for name in ("input_ids", "attention_mask", "subject_rows", "subject_spans")}
    outputs = []
    for one, relation in ((model, 2), (other, schema.find("作者"))):
        prior = torch.tensor([[*candidate, relation] for candidate in candidates])
        with torch.no_grad():
            outputs.append(one(**given, prior=prior).object_probs)
    for number, relation in enumerate(schema):
        if relation != new:
            torch.testing.assert_close(
                outputs[1][:, :, number], outputs[0][:, :, builders.SCHEMA.find(relation.predicate)]
            )


def test_the_rules_of_the_new_schema_are_kept(trained_folder):
    ruled = Schema(replace(one, rules=RelationRules(strip=("《》",))) for one in builders.SCHEMA)
    assert [one.rules for one in starting_model(trained_folder, ruled).config.schema] == [one.rules for one in ruled]


def test_a_half_precision_model_goes_on_in_float32(tiny_schema, tmp_path):
    folder = tmp_path / "half"
    half = builders.spo_model(builders.encoder_config("bert")).half()
    half.save_pretrained(folder)
    assert {weight.dtype for weight in starting_model(folder, tiny_schema).parameters()} == {torch.float32}


TEXTS = [*(example.text for example in builders.EXAMPLES), "Anna Lind说晚风很大", "anna Lind说晚风不大"]
TABLE = "5 3\n晚风 1 2 3\n白露 -1 0 0.5\nanna 7 8 9\n云朵 4 4 4\n主演 0 0 1\n"
DGCNN = {"model_type": "dgcnn", "hidden_size": 16, "dilations": [1, 2]}


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_a_fresh_encoder_has_the_characters_of_the_texts(tiny_schema):
    model, tokenizer = fresh_model(tiny_schema, TEXTS, encoder_config=DGCNN, max_length=40, conditioning="recurrent")
    assert type(model.encoder) is DgcnnModel
    assert (model.config.max_length, model.config.conditioning) == (40, "recurrent")
    assert model.config.schema == tiny_schema
    assert model.config.encoder_config.vocab_size == len(tokenizer) == len(tokenizer.get_vocab())
    assert model.config.encoder_config.pad_token_id == tokenizer.pad_token_id
    assert tokenizer.convert_ids_to_tokens(tokenizer("晚风")["input_ids"]) == ["晚", "风"]
    assert (model.features.words, model.takes_words) == (None, False)


def test_it_keeps_the_vectors_of_the_texts_words(table, tiny_schema, tmp_path):
    model, tokenizer = fresh_model(tiny_schema, TEXTS, table, encoder_config=DGCNN, max_length=40)
    assert model.features.words.words == ["晚风", "白露", "anna", "主演"]  # no text has 云朵
    embedding = model.encoder.embeddings.word_embeddings
    assert embedding.weight.tolist() == [[0, 0, 0], [1, 2, 3], [-1, 0, 0.5], [7, 8, 9], [0, 0, 1]]
    assert not embedding.weight.requires_grad
    encoder_config = model.config.encoder_config
    assert (encoder_config.word_vocab_size, encoder_config.word_embedding_size) == (5, 3)
    encodings = encode(tokenizer, ["Anna主演晚风了"], 40)
    model.features.annotate(encodings)
    assert encodings[0].word_ids.tolist() == [3, 3, 3, 3, 4, 4, 1, 1, 0]
    model.save_pretrained(tmp_path / "model")
    loaded = SpoForTripleExtraction.from_pretrained(tmp_path / "model")
    assert torch.equal(loaded.encoder.embeddings.word_embeddings.weight, embedding.weight)
    assert loaded.features.words.words == model.features.words.words


def test_a_word_in_large_letters_finds_the_tables_small_ones(tiny_schema, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("2 1\nlind 1\nANNA 2\n", encoding="utf-8")
    model, _ = fresh_model(tiny_schema, TEXTS, path, encoder_config=DGCNN)
    assert model.features.words.words == ["lind"]


def test_the_segmenter_is_the_configs(table, tiny_schema):
    with pytest.raises(ValueError, match=r"words\.txt has none of the words that characters finds in the texts"):
        fresh_model(tiny_schema, TEXTS, table, encoder_config={**DGCNN, "segmenter": "characters"})
    table.write_text("1 2\n晚 1 2\n", encoding="utf-8")
    model, _ = fresh_model(tiny_schema, TEXTS, table, encoder_config={**DGCNN, "segmenter": "characters"})
    assert model.features.words.words == ["晚"]
    assert model.features.words.segmenter == "characters"


def test_a_fresh_encoder_of_another_type(tiny_schema):
    settings = {"model_type": "bert", "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model, tokenizer = fresh_model(
        tiny_schema, TEXTS, encoder_config=settings, attn_implementation="eager", max_length=64
    )
    assert model.config.encoder_config.model_type == "bert"
    assert model.config.encoder_config.vocab_size == len(tokenizer)
    assert model.encoder.config._attn_implementation == "eager"


def test_an_encoder_without_words_is_refused_a_table(table, tiny_schema):
    with pytest.raises(ValueError, match="an encoder of type bert reads no words; leave it out"):
        fresh_model(tiny_schema, TEXTS, table, encoder_config={"model_type": "bert"})


def test_the_options_are_not_changed(table, tiny_schema):
    settings = dict(DGCNN)
    fresh_model(tiny_schema, TEXTS, table, encoder_config=settings)
    assert settings == DGCNN

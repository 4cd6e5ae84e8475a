"""The convolutional encoder."""

import pytest
import torch
from torch import nn
from transformers import AutoModel

from hf_spo import DgcnnConfig, DgcnnModel
from hf_spo.model.layers import GatedConvolution

WORDS = {"word_vocab_size": 7, "word_embedding_size": 5, "segmenter": "characters"}


def model_of(**settings):
    torch.manual_seed(0)
    config = DgcnnConfig(vocab_size=50, hidden_size=16, dilations=[1, 2, 5, 1], max_position_embeddings=40, **settings)
    model = AutoModel.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


@pytest.fixture
def ids():
    return torch.randint(2, 50, (3, 12), generator=torch.Generator().manual_seed(1))


def fresh(**settings):
    return DgcnnModel(DgcnnConfig(vocab_size=50, hidden_size=16, dilations=[1], **settings)).eval()


def test_auto_model_builds_it(ids):
    model = model_of()
    assert type(model) is DgcnnModel
    assert model.main_input_name == "input_ids"
    assert model(ids).last_hidden_state.shape == (3, 12, 16)
    assert [layer.dilation for layer in model.layers] == [(1,), (2,), (5,), (1,)]


@pytest.mark.parametrize("settings", [{}, WORDS])
def test_saved_and_loaded_is_the_same(settings, ids, tmp_path):
    model = model_of(**settings)
    model.save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path).eval()
    words = ids % 7 if settings else None
    assert type(loaded) is DgcnnModel
    assert torch.equal(loaded(ids, word_ids=words).last_hidden_state, model(ids, word_ids=words).last_hidden_state)


def test_positions_start_at_zero(ids):
    model = fresh()
    assert model.embeddings.position_embeddings.weight.abs().max() == 0
    assert model.embeddings.character_embeddings.weight.abs().max() > 0
    embedded = model.embeddings(ids, None)
    torch.testing.assert_close(embedded, model.embeddings.character_embeddings(ids))


def test_embeddings_are_added(ids):
    embeddings = model_of(**WORDS).embeddings
    words = ids % 7
    expected = (
        embeddings.character_embeddings(ids)
        + embeddings.word_embeddings(words) @ embeddings.word_projection.weight.T
        + embeddings.position_embeddings(torch.arange(12))
    )
    torch.testing.assert_close(embeddings(ids, words), expected)


@pytest.mark.parametrize("settings", [{}, WORDS, {"max_position_embeddings": 0}])
def test_a_sentence_does_not_depend_on_its_batch(settings, ids):
    config = DgcnnConfig(
        **{"vocab_size": 50, "hidden_size": 16, "dilations": [1, 2, 5], "max_position_embeddings": 40, **settings}
    )
    torch.manual_seed(0)
    model = DgcnnModel(config).eval()
    nn.init.normal_(model.layers[0].bias)  # which would leak out of padding
    words = ids % 7 if "word_vocab_size" in settings else None
    alone = model(ids[:1], word_ids=None if words is None else words[:1]).last_hidden_state
    for length in (12, 13, 20, 39):
        padded = torch.zeros(3, length, dtype=torch.long)
        padded[0, :12], padded[1:, :5] = ids[0], ids[1:, :5]
        padded[0, 12:] = 9  # even what padding holds does not matter
        mask = torch.zeros_like(padded)
        mask[0, :12] = mask[1:, :5] = 1
        padded_words = None if words is None else padded % 7
        hidden = model(padded, mask, padded_words).last_hidden_state
        torch.testing.assert_close(hidden[:1, :12], alone, rtol=1e-5, atol=1e-6)
        assert hidden[mask == 0].abs().sum() == 0


def test_a_row_of_padding_alone_is_zero(ids):
    mask = torch.ones_like(ids)
    mask[1] = 0
    hidden = model_of()(ids, mask).last_hidden_state
    assert hidden[1].abs().max() == 0
    assert hidden[[0, 2]].abs().min() > 0


def test_the_word_table_is_frozen(ids, tmp_path):
    model = model_of(**WORDS).train()
    assert not model.embeddings.word_embeddings.weight.requires_grad
    model(ids, word_ids=ids % 7).last_hidden_state.sum().backward()
    assert model.embeddings.word_embeddings.weight.grad is None
    idle = {name for name, weight in model.named_parameters() if weight.grad is None}
    assert idle <= {"embeddings.word_embeddings.weight"}
    model.save_pretrained(tmp_path)
    assert not AutoModel.from_pretrained(tmp_path).embeddings.word_embeddings.weight.requires_grad


def test_unknown_words_add_nothing(ids):
    model = fresh(**WORDS)
    embeddings = model.embeddings
    nn.init.normal_(embeddings.word_embeddings.weight[1:])
    nothing = embeddings(ids, torch.zeros_like(ids))
    assert torch.equal(nothing, embeddings.character_embeddings(ids))
    assert not torch.allclose(embeddings(ids, torch.ones_like(ids)), nothing)


def test_missing_words_are_named(ids):
    with pytest.raises(ValueError, match=r"reads words beside characters: expected word_ids, .*annotate"):
        model_of(**WORDS)(ids)


def test_an_encoder_without_words_ignores_them(ids):
    model = model_of()
    words = ids % 7
    assert torch.equal(model(ids, word_ids=words).last_hidden_state, model(ids).last_hidden_state)


def test_a_sequence_beyond_the_positions_is_refused():
    model = model_of()
    assert model(torch.full((1, 40), 5)).last_hidden_state.shape == (1, 40, 16)
    with pytest.raises(ValueError, match="got 41 tokens, expected at most 40, the positions; split the text"):
        model(torch.full((1, 41), 5))


def test_without_positions_any_length_is_read():
    model = fresh(max_position_embeddings=0)
    assert model.embeddings.position_embeddings is None
    assert model(torch.full((1, 700), 5)).last_hidden_state.shape == (1, 700, 16)


def test_dropout_is_off_in_evaluation(ids):
    model = model_of(hidden_dropout_prob=0.5, gate_dropout_prob=0.5)
    assert torch.equal(model(ids).last_hidden_state, model(ids).last_hidden_state)
    model.train()
    assert not torch.equal(model(ids).last_hidden_state, model(ids).last_hidden_state)


def test_the_gates_dropout_is_the_configs(ids):
    model = model_of(hidden_dropout_prob=0.0, gate_dropout_prob=0.4)
    assert {layer.gate_dropout_prob for layer in model.layers if isinstance(layer, GatedConvolution)} == {0.4}
    model.train()
    assert not torch.equal(model(ids).last_hidden_state, model(ids).last_hidden_state)


def test_input_embeddings_can_be_resized(ids):
    model = model_of()
    before = model(ids).last_hidden_state
    model.resize_token_embeddings(60)
    assert model.config.vocab_size == 60
    torch.testing.assert_close(model(ids).last_hidden_state, before)


def test_half_precision_gives_half_precision(ids):
    hidden = model_of(**WORDS).to(torch.bfloat16)(ids, word_ids=ids % 7).last_hidden_state
    assert hidden.dtype == torch.bfloat16
    assert torch.isfinite(hidden).all()

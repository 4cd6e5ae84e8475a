import builders
import pytest
import torch

from hf_spo import Schema
from hf_spo.training.start import starting_model


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


def test_a_half_precision_model_goes_on_in_float32(tiny_schema, tmp_path):
    folder = tmp_path / "half"
    half = builders.spo_model(builders.encoder_config("bert")).half()
    half.save_pretrained(folder)
    assert {weight.dtype for weight in starting_model(folder, tiny_schema).parameters()} == {torch.float32}

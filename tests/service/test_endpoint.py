"""The contract of Inference Endpoints: a folder's path, a dictionary in, plain values out."""

import json

import pytest
from transformers import pipeline

from hf_spo.model.options import OPTIONS
from hf_spo.service.endpoint import EndpointHandler
from hf_spo.service.inputs import Extractors, InputError
from tests import builders

TEXTS = [item.text for item in builders.EXAMPLES]
GOLD = [builders.facts(item.triples) for item in builders.EXAMPLES]


@pytest.fixture(scope="module", params=["trained_folder", "exported_folder"])
def handler(request):
    return EndpointHandler(request.getfixturevalue(request.param))


class TestContract:
    def test_one_text_gives_its_triples(self, handler):
        found = handler({"inputs": TEXTS[0]})
        assert builders.facts(found) == GOLD[0]
        assert type(found) is list
        assert type(found[0]) is dict
        assert type(found[0]["score"]) is float
        assert json.loads(json.dumps(found)) == found

    def test_several_texts_give_a_list_each(self, handler):
        assert [builders.facts(found) for found in handler({"inputs": TEXTS, "parameters": None})] == GOLD
        assert handler({"inputs": []}) == []
        assert handler({"inputs": ["", " "]}) == [[], []]

    def test_parameters(self, handler):
        assert len(handler({"inputs": TEXTS[2], "parameters": {"top_k": 1}})) == 1
        assert handler({"inputs": TEXTS[2], "parameters": {"object_end_threshold": 1.0}}) == []

    def test_request_is_left_as_it_was(self, handler):
        data = {"inputs": [TEXTS[0]], "parameters": {"top_k": 1}}
        handler(data)
        assert data == {"inputs": [TEXTS[0]], "parameters": {"top_k": 1}}

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ({}, "inputs: missing"),
            ("x", "inputs: missing"),
            ({"inputs": "x", "options": {}}, "options: unknown field"),
            ({"inputs": 5}, "inputs: expected a string or a list of strings, got int"),
            ({"inputs": {"text": "x"}}, "inputs: expected a string or a list of strings, got dict"),
            ({"inputs": ["x", None]}, r"inputs\[1\]: expected a string, got nothing"),
            ({"inputs": "x", "parameters": {"topk": 1}}, r"parameters\.topk: unknown option"),
            ({"inputs": "x", "parameters": {"top_k": "1"}}, r"parameters\.top_k: '1': expected a whole number"),
            ({"inputs": "x", "parameters": {"window": 65}}, r"parameters\.window: 65: expected 3 to 64 tokens"),
            ({"inputs": "今天" * 90, "parameters": {"on_long": "error"}}, "were not read"),
        ],
    )
    def test_what_is_wrong_is_named(self, handler, data, message):
        with pytest.raises(ValueError, match=message):
            handler(data)


def test_the_packaged_model_by_default(monkeypatch):
    asked = []
    monkeypatch.setattr("hf_spo.service.endpoint.load", lambda name: asked.append(name))
    EndpointHandler()
    assert asked == ["base"]


def test_no_such_model(tmp_path):
    with pytest.raises((OSError, ValueError)):
        EndpointHandler(str(tmp_path))


class TestExtractors:
    def test_every_option_can_be_given(self, trained_model, tiny_tokenizer):
        extractors = Extractors(pipeline("triple-extraction", model=trained_model, tokenizer=tiny_tokenizer))
        given = {name: 0.5 for name in OPTIONS if name.endswith("threshold")}
        given |= {"rules": False, "top_k": 2, "on_long": "error", "window": 30, "stride": 5, "batch_tokens": 100}
        given["relations"] = ["主演"]
        assert given.keys() == OPTIONS.keys() == extractors.schemas.keys()
        options = extractors.options(given)
        assert dict(options) == {**given, "relations": tuple(given["relations"])}
        loop = extractors.loop(options)
        assert (loop.window, loop.stride, loop.top_k, loop.batch_tokens) == (30, 5, 2, 100)
        assert extractors.loop(extractors.options(dict(reversed(given.items())))) is loop

    def test_limits(self, trained_model, tiny_tokenizer):
        extractors = Extractors(pipeline("triple-extraction", model=trained_model, tokenizer=tiny_tokenizer), 10)
        assert extractors.loop(()).batch_tokens == 10
        with pytest.raises(InputError, match="batch_tokens: 11: expected a whole number from 1 to 10"):
            extractors.options({"batch_tokens": 11})
        assert extractors.options({"batch_tokens": None}) == ()

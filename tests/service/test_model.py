"""The service with a real model: everyone gets the triples of their own texts, as the bare pipeline finds them."""

import asyncio

import pytest
from transformers import pipeline

from hf_spo import load_onnx
from hf_spo.service.service_settings import ServiceSettings
from tests import builders
from tests.service.samples import in_process

TEXTS = [
    *(item.text for item in builders.EXAMPLES),
    *(f"{item.text},{other.text}" for item in builders.EXAMPLES for other in builders.EXAMPLES),
    "",
    " ",
    "白\ud800露出生于苏州",
    "今天天气很好" * 50,
]


@pytest.fixture(params=["torch", "onnx"])
def model(request, trained_model, tiny_tokenizer):
    if request.param == "torch":
        return pipeline("triple-extraction", model=trained_model, tokenizer=tiny_tokenizer)
    return load_onnx(request.getfixturevalue("exported_folder"), num_threads=1)


def exact(triples):
    return [{**triple, "score": pytest.approx(triple["score"], abs=1e-4)} for triple in triples]


def test_many_at_once(model):
    parts = [TEXTS[at : at + size] for size in (1, 1, 3, 16) for at in range(0, len(TEXTS), size)]

    async def run():
        async with in_process(model, ServiceSettings(max_queue=1000)) as running:
            return await asyncio.gather(*(running.extract(*part) for part in parts))

    bare = dict(zip(TEXTS, model(TEXTS), strict=True))
    assert sum(map(len, bare.values())) > 50
    for part, answer in zip(parts, asyncio.run(run()), strict=True):
        assert [exact(bare[text]) for text in part] == answer.json()["results"]


def test_options_reach_the_model(model):
    text = TEXTS[2]

    async def run():
        async with in_process(model) as running:
            one = await running.extract(text, top_k=1)
            none = await running.extract(text, subject_start_threshold=1)
            window = await running.extract(text, window=65)
            long = await running.extract("好", "今天天气很好" * 50, on_long="error")
            return [answer.json() for answer in (one, none, window, long)]

    one, none, window, long = asyncio.run(run())
    assert len(one["results"][0]) == 1
    assert none == {"results": [[]]}
    assert window["error"]["field"] == "options.window"
    assert "64 tokens" in window["error"]["message"]
    assert (long["error"]["field"], long["error"]["code"]) == ("texts[1]", "invalid_request")

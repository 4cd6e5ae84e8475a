"""Nasty texts through every door: what is found are slices of the texts, one answer a text, in their order."""

import asyncio
import json
from functools import cache
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from transformers import AutoConfig, pipeline
from typer.testing import CliRunner

from hf_spo import TripleStore
from hf_spo.cli import app
from hf_spo.model.schema import Example
from hf_spo.model.words import WordVocabulary
from hf_spo.onnx import load_onnx
from hf_spo.service.application import make_app
from hf_spo.service.logs import JsonLog
from hf_spo.service.service import Service
from hf_spo.service.service_settings import ServiceSettings
from tests import builders
from tests.nasty_texts import LARGE, NASTY, check, eager, nasty, stirred

TEXTS = list(NASTY.values())
FEW, MANY = 400, 2000
"""Mentions that have to be found in them, so that something is checked."""


@cache
def eager_pipeline(name: str, objects: float = 0.98) -> Any:
    """Return a pipeline on random weights, with a tokenizer of this name, that finds much in anything."""
    tokenizer = builders.TOKENIZERS[name]
    model = stirred(builders.spo_model(builders.encoder_config("bert", len(tokenizer))))
    pipe = pipeline("triple-extraction", model=model, tokenizer=tokenizer)
    return pipeline("triple-extraction", model=model, tokenizer=tokenizer, **eager(pipe.extractor(), objects=objects))


@cache
def reading_pipeline(objects: float = 0.98) -> Any:
    """Return one that reads words and known triples beside its texts."""
    tokenizer = builders.wordpiece_tokenizer()
    sizes = {"vocab_size": len(tokenizer), "hidden_size": 16, "dilations": [1, 2], "max_position_embeddings": 64}
    encoder = AutoConfig.for_model("dgcnn", **sizes, segmenter="rjieba", word_vocab_size=4, word_embedding_size=8)
    model = stirred(builders.spo_model(encoder, prior=True))
    model.features.words = WordVocabulary(["歌曲", "\u3000", "演唱"], "rjieba")
    known = [Example(text, item.triples) for text in (TEXTS[0], "\x00") for item in builders.EXAMPLES]
    model.features.prior = TripleStore.from_examples(known, builders.SCHEMA)
    for part in ("\ud83d", "\x00", "\u0301", "👨\u200d👩", "晚风", "]"):
        model.features.prior.add(part, 6, "白露")
    pipe = pipeline("triple-extraction", model=model, tokenizer=tokenizer)
    return pipeline("triple-extraction", model=model, tokenizer=tokenizer, **eager(pipe.extractor(), objects=objects))


def count(texts: Any, results: Any) -> int:
    """Check all results against their texts; return how many mentions there are."""
    return sum(check(text, found) for text, found in zip(texts, results, strict=True))


@pytest.mark.parametrize("name", ["wordpiece cased", "byte-level prefixed, trimmed", "unigram"])
def test_pipeline(name):
    pipe = eager_pipeline(name)
    results = pipe(TEXTS)
    assert count(TEXTS, results) > FEW
    for text, found in zip(TEXTS[:20], results, strict=False):
        assert builders.facts(pipe(text)) == builders.facts(found)


def test_a_model_that_reads_words_and_known_triples():
    assert count(TEXTS, reading_pipeline()(TEXTS)) > MANY


@given(text=nasty())
@settings(max_examples=60, deadline=None)
def test_whatever_is_drawn(text):
    for name in ("wordpiece uncased", "byte-level", "unigram"):
        check(text, eager_pipeline(name)(text))
    check(text, reading_pipeline()(text))


@pytest.fixture(scope="module")
def exported(exported_folder):
    """An export that finds much in anything, and the thresholds by which it does."""
    thresholds = eager(load_onnx(exported_folder).extractor())
    return load_onnx(exported_folder, **thresholds), thresholds


def test_export(exported):
    pipe, _ = exported
    assert count(TEXTS, pipe(TEXTS)) > MANY


@pytest.fixture
def extract(exported, exported_folder, tmp_path, monkeypatch):
    """Run `hf-spo extract` with what finds much in anything; return its lines of JSON."""
    monkeypatch.chdir(tmp_path)
    words = [word for name, value in exported[1].items() for word in (f"--{name.replace('_', '-')}", str(value))]

    def extract(*arguments: str, stdin: bytes = b"") -> list[Any]:
        result = CliRunner().invoke(
            app, ["extract", "--model", exported_folder, *words, *arguments], input=stdin, catch_exceptions=False
        )
        assert result.exit_code == 0, result.stderr
        return [json.loads(line) for line in result.stdout_bytes.decode("utf-8").split("\n")[:-1]]

    return extract


def test_command_on_a_file(extract, tmp_path):
    rows = "".join(json.dumps({"text": text, "id": f"={text}"}) + "\n" for text in TEXTS)
    (tmp_path / "in.jsonl").write_text(rows, encoding="ascii")
    assert not extract("--input", "in.jsonl", "--output", "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_bytes().decode("utf-8").split("\n")[:-1]
    found = [json.loads(line) for line in lines]
    given = [json.loads(line)["text"] for line in rows.splitlines()]  # as JSON has them
    assert [row["text"] for row in found] == [row["id"].removeprefix("=") for row in found] == given
    assert count(given, [row["triples"] for row in found]) > MANY


def test_command_on_stdin(extract):
    lines = b"\n".join([b"x", "\ufeff白露".encode(), *(text.encode("utf-8", "replace") for text in TEXTS)])
    found = extract("-", stdin=lines)
    given = [line.removesuffix("\r") for line in lines.decode("utf-8").split("\n")]
    assert [row["text"] for row in found] == given
    assert count([row["text"] for row in found], [row["triples"] for row in found]) > MANY


def test_command_on_arguments(extract):
    texts = [text for text in TEXTS if text and not text.startswith("-")]
    found = extract("--", *texts)
    given = [json.loads(json.dumps(text)) for text in texts]  # as JSON has them
    assert [row["text"] for row in found] == given
    assert count(given, [row["triples"] for row in found]) > MANY


@pytest.mark.slow
@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
@pytest.mark.parametrize("name", ["wordpiece cased", "unigram"])
def test_large(name, text):
    check(text, eager_pipeline(name)(text, top_k=10_000))


def test_service(exported):
    """All at once and one by one: each is answered with its own triples, or with what is wrong with it."""
    service = Service(exported[0], ServiceSettings(), JsonLog(lambda _: None))
    groups = [TEXTS, *([text] for text in TEXTS)]
    answers = asyncio.run(ask(service, [json.dumps({"texts": group}).encode() for group in groups]))
    found = refused = 0
    for group, (status, answer) in zip(groups, answers, strict=True):
        given = [json.loads(json.dumps(text)) for text in group]  # as JSON has them
        if status == 200:
            found += count(given, answer["results"])
        else:
            assert (status, bool(answer["error"]["message"])) == (422, True)
            refused += 1
    assert found > MANY
    assert refused < len(groups) / 2


async def ask(service: Service, bodies: list[bytes]) -> list[tuple[int, Any]]:
    """Send requests to a service all at once; return their answers."""
    app, headers = make_app(service), {"content-type": "application/json"}
    service.batcher.start()
    try:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
            answers = await asyncio.gather(*(client.post("/extract", content=body) for body in bodies))
    finally:
        service.batcher.close()
    return [(answer.status_code, answer.json()) for answer in answers]

"""What the models inside the package promise to somebody who has just installed it."""

import json
import subprocess
import sys
from typing import Any

import pytest
import torch
from transformers import pipeline

from hf_spo import AutoModelForTripleExtraction, SpoConfig, packaged

FILM = "《远山的灯》由林小川执导，周一鸣、何雨晴主演。"


SIZES = {"base": 60_000_000, "lite": 8_000_000}


@pytest.fixture(scope="module", params=list(SIZES))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def extract(name) -> Any:
    return pipeline("triple-extraction", model=str(packaged(name)))


def short(triples):
    return {(triple["subject"]["text"], triple["predicate"], triple["object"]["text"]) for triple in triples}


def test_it_is_small_and_holds_nothing_but_weights_and_json(name):
    files = [path for path in packaged(name).iterdir() if path.is_file()]
    assert {path.suffix for path in files} == {".json", ".safetensors"}
    assert sum(path.stat().st_size for path in files) <= SIZES[name]


def test_its_config_names_its_schema_and_loads_without_a_warning(name, caplog):
    config = SpoConfig.from_pretrained(packaged(name))
    assert len(config.schema) == 55
    assert len({relation.predicate for relation in config.schema}) == 48
    assert not caplog.records


def test_it_computes_in_float32_though_it_is_stored_in_half(name):
    model = AutoModelForTripleExtraction.from_pretrained(packaged(name))
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FILM, {("远山的灯", "导演", "林小川"), ("远山的灯", "主演", "周一鸣"), ("远山的灯", "主演", "何雨晴")}),
        ("歌曲《夜航船》由沈以宁作词，顾北辰作曲。", {("夜航船", "作词", "沈以宁"), ("夜航船", "作曲", "顾北辰")}),
        ("小说《北方来信》的作者是许知微。", {("北方来信", "作者", "许知微")}),
        ("陈思远，1985年毕业于武汉大学。", {("陈思远", "毕业院校", "武汉大学")}),
    ],
)
def test_it_finds_what_plain_sentences_say(extract, text, expected):
    assert expected <= short(extract(text))


def test_characters_outside_its_vocabulary_come_out_as_they_went_in(extract):
    text = "《谥琏录》由嫘荦执导，稹😀镒、栎暝主演。"
    triples = extract(text)
    assert ("谥琏录", "导演", "嫘荦") in short(triples)
    for triple in triples:
        for mention in (triple["subject"], triple["object"], *triple["qualifiers"].values()):
            assert text[mention["start"] : mention["end"]] == mention["text"]
            assert "[UNK]" not in mention["text"]


def test_bfloat16_finds_the_same_in_a_plain_sentence(name, extract):
    half = pipeline("triple-extraction", model=str(packaged(name)), dtype=torch.bfloat16)
    assert short(half(FILM)) == short(extract(FILM))


def test_the_accurate_one_is_what_the_task_loads_in_a_fresh_process_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    code = (
        "import json, sys, hf_spo\nfrom transformers import pipeline\n"
        "print(json.dumps(pipeline('triple-extraction')(sys.argv[1])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, FILM], capture_output=True, check=True, text=True, cwd=tmp_path, encoding="utf-8"
    )
    assert ("远山的灯", "导演", "林小川") in short(json.loads(done.stdout))

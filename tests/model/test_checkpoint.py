"""Saved models that are damaged or hostile: each is refused with a line that says what is wrong, and runs no code."""

import json
import logging
import os
import pickle
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig

from hf_spo import SpoConfig, SpoEnsemble, SpoForTripleExtraction, TripleStore, load
from hf_spo.model.checkpoint import CheckpointError, check_tokenizer
from hf_spo.model.words import WordVocabulary
from hf_spo.training.ema import ExponentialMovingAverage
from tests import builders


class Malicious:
    """What runs code when it is unpickled: it makes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_saved_files_are_readable_as_the_umask_says(mask, mode, tiny_model, tmp_path):
    before = os.umask(mask)
    try:
        tiny_model.save_pretrained(tmp_path, max_shard_size="20KB")
        ExponentialMovingAverage(tiny_model, 0.9).save(tmp_path)
    finally:
        os.umask(before)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {mode}


@pytest.fixture
def folder(trained_folder, tmp_path):
    """A model that may be broken."""
    return Path(shutil.copytree(trained_folder, tmp_path / "model"))


def edit(name: str, change: Any) -> Any:
    """Return what rewrites a JSON file; `change` takes its content."""

    def apply(folder: Path) -> None:
        content = json.loads((folder / name).read_text(encoding="utf-8"))
        content = change(content) or content
        (folder / name).write_text(json.dumps(content), encoding="utf-8")

    return apply


def config(**values: Any) -> Any:
    return edit("config.json", lambda content: content.update(values))


def encoder(**values: Any) -> Any:
    return edit("config.json", lambda content: content["encoder_config"].update(values))


def tensors(change: Any) -> Any:
    """Return what rewrites the weights; `change` takes them by name."""

    def apply(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        change(weights)
        save_file(weights, folder / "model.safetensors", {"format": "pt"})

    return apply


def write(name: str, content: bytes) -> Any:
    return lambda folder: (folder / name).write_bytes(content)


def remove(name: str) -> Any:
    return lambda folder: (folder / name).unlink()


def cut(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def pickled(name: str) -> Any:
    """Return what puts a pickle in the place of the weights."""

    def apply(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        (folder / name).write_bytes(pickle.dumps(Malicious(folder.parent / "code was run")))

    return apply


def sharded(**weight_map: str) -> Any:
    def apply(folder: Path) -> None:
        (folder / "model.safetensors").rename(folder.parent / "outside.safetensors")
        index = {"metadata": {}, "weight_map": weight_map}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")

    return apply


HEAD = "object_head.weight"
NORM = "encoder.embeddings.LayerNorm.weight"
DEEP = b'{"model_type": "hf_spo", "relations": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
DEEP_ENOUGH = json.loads("[" * 400 + "]" * 400)
CODE = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model", "AutoTokenizer": ["evil.Tokenizer", None]}

WEIGHTS = {
    "cut short": (cut, r"model\.safetensors is damaged or truncated, at .* copy or download it again"),
    "empty": (write("model.safetensors", b""), r"model\.safetensors is damaged or truncated, at 0 bytes"),
    "some text": (write("model.safetensors", b"version https://git-lfs" * 9), "is damaged or truncated"),
    "a header beyond the file": (write("model.safetensors", b"\xff" * 7 + b"\x7f{}"), "is damaged or truncated"),
    "missing": (remove("model.safetensors"), r"has no model\.safetensors; copy or download it again"),
    "a pickle beside none": (pickled("pytorch_model.bin"), "a pickle, which can run code when it is read; it was not"),
    "pickles in shards": (pickled("pytorch_model.bin.index.json"), "a pickle, which can run code"),
    "a pickle by the name of safetensors": (pickled("model.safetensors"), "is damaged or truncated"),
    "a shard outside": (sharded(a="../outside.safetensors"), r"'\.\./outside\.safetensors' is not the name of a shard"),
    "a shard that is a pickle": (sharded(a="pytorch_model.bin"), "is not the name of a shard"),
    "a shard with a number for a name": (sharded(a=7), "7 is not the name of a shard|is damaged"),
    "a shard that is not there": (sharded(a="a.safetensors"), r"names a\.safetensors, which is missing"),
    "an index of nothing": (
        lambda folder: (sharded()(folder), write("model.safetensors.index.json", b"[]")(folder)),
        r"index\.json is damaged",
    ),
    "other sizes": (
        tensors(lambda weights: weights.update({HEAD: torch.zeros(2, 64)})),
        r"1 of its tensors have other sizes.*object_head\.weight is \[2, 64\], expected \[28, 64\]",
    ),
    "a tensor missing": (
        tensors(lambda weights: weights.pop(NORM)),
        r"lacks 1 of the weights that its config\.json describes, such as encoder\.embeddings\.LayerNorm\.weight",
    ),
    "a head missing": (tensors(lambda weights: weights.pop("object_head.bias")), r"such as object_head\.bias"),
    "NaN": (tensors(lambda weights: weights[NORM].fill_(float("nan"))), "NaN or infinite weights; train the model"),
    "one infinite number": (
        tensors(lambda weights: weights[HEAD].view(-1)[3:4].fill_(float("-inf"))),
        r"object_head\.weight has NaN or infinite weights",
    ),
}

CONFIGS = {
    "missing": (remove("config.json"), r"has no config\.json; expected the folder of a trained model"),
    "no JSON": (write("config.json", b'{"model_type": "hf_spo",'), r"config\.json is not JSON"),
    "no UTF-8": (write("config.json", b"\xff\xfe{}"), r"config\.json is not JSON"),
    "a list": (write("config.json", b"[1]"), r"config\.json: expected a triple-extraction model"),
    "deep": (write("config.json", DEEP), r"config\.json is not JSON"),
    "deep inside": (config(relations=[DEEP_ENOUGH]), r"config\.json: .*relations"),
    "huge": (write("config.json", b" " * ((1 << 26) + 1)), "bytes; expected a config of a few thousand"),
    "of an encoder": (
        config(model_type="bert"),
        r"expected a triple-extraction model.* got 'bert'; train a plain encoder",
    ),
    "of no kind": (config(model_type=None), "expected a triple-extraction model"),
    "code of its own": (config(model_type="evil", auto_map=CODE), "expected a triple-extraction model.* got 'evil'"),
    "no relations": (edit("config.json", lambda content: content.pop("relations") and None), 'has no "relations"'),
    "relations of no list": (config(relations={"a": 1}), r"config\.json.*relations"),
    "relations of strings": (config(relations=["主演"]), r"config\.json.*relations"),
    "empty relations": (config(relations=[]), "at least one relation"),
    "relations without a predicate": (config(relations=[{"subject_type": "人物"}]), "predicate"),
    "fewer relations": (
        edit("config.json", lambda content: content.update(relations=content["relations"][:3])),
        "have other sizes",
    ),
    "a million layers": (encoder(num_hidden_layers=10**6), "more than .* modules"),
    "layers beyond any number": (encoder(num_hidden_layers=10**30), "no model can be built|modules"),
    "a few more layers": (encoder(num_hidden_layers=3), "lacks .* of the weights"),
    "a width of a thousand million": (encoder(hidden_size=10**9), "have other sizes|no model can be built"),
    "a vocabulary of a million million": (encoder(vocab_size=10**12), "have other sizes"),
    "positions without end": (encoder(max_position_embeddings=10**11), "have other sizes"),
    "a width below 0": (encoder(hidden_size=-64), "no model can be built"),
    "no heads": (encoder(num_attention_heads=0), "no model can be built"),
    "a width of text": (encoder(hidden_size="64"), r"config\.json.*hidden_size"),
    "an unknown encoder": (encoder(model_type="evil", auto_map=CODE), "evil"),
    "attention that is a file": (config(head_attention_heads=10**9), "a model of .* parameters|have other sizes"),
    "thresholds that are no number": (config(object_end_threshold=float("nan")), "object_end=nan: expected a prob"),
    "thresholds of text": (config(object_end_threshold="0.5"), r"config\.json.*object_end_threshold"),
    "score thresholds that are no number": (config(score_threshold=float("nan")), "score threshold nan"),
    "score thresholds of too few": (config(relation_score_thresholds=[0.5]), "relation_score_thresholds has 1 values"),
    "calibration without end": (config(score_calibration={"method": "magic"}), "calibration method 'magic'"),
    "a window beyond the positions": (config(max_length=10**9), "positions; pass max_length"),
    "a window below 0": (config(window=-5), "window=-5: expected"),
    "no pairing": (config(span_pairing="../x"), "span_pairing"),
    "no conditioning": (config(conditioning="__class__"), "conditioning"),
}


@pytest.mark.parametrize(("damage", "reason"), [*WEIGHTS.values(), *CONFIGS.values()], ids=[*WEIGHTS, *CONFIGS])
def test_a_broken_model_is_refused(folder, damage, reason):
    damage(folder)
    with pytest.raises((ValueError, OSError), match=reason) as caught:
        load(folder)
    assert str(folder) in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert not (folder.parent / "code was run").exists()


def test_a_hostile_encoder_runs_no_code(trained_folder, folder):
    """A model type that transformers knows is built by its own code, whatever the config says."""
    (folder / "evil.py").write_text("from pathlib import Path\nPath(__file__).with_name('ran').touch()\n")
    encoder(auto_map=CODE)(folder)
    config(auto_map=CODE)(folder)
    assert load(folder)("白露演唱了《晚风》") == load(Path(trained_folder))("白露演唱了《晚风》")
    edit("tokenizer_config.json", lambda content: content.update(auto_map=CODE, tokenizer_class="Evil"))(folder)
    with pytest.raises(ValueError, match="contains custom code"):
        load(folder)
    assert not (folder / "ran").exists()


TOKENIZERS = {
    "cut short": write("tokenizer.json", b'{"version": "1.0", "model": {'),
    "empty": write("tokenizer.json", b""),
    "a list": write("tokenizer.json", b"[]"),
    "missing": remove("tokenizer.json"),
}


@pytest.mark.parametrize("damage", TOKENIZERS.values(), ids=TOKENIZERS)
def test_a_broken_tokenizer_is_refused(folder, damage):
    damage(folder)
    with pytest.raises(CheckpointError, match=f"{folder}: its tokenizer cannot be loaded"):
        load(folder)


def test_a_tokenizer_of_another_model(folder):
    many = builders.wordpiece_tokenizer()
    many.add_tokens([f"extra{number}" for number in range(200)])
    many.save_pretrained(folder)
    with pytest.raises(CheckpointError, match=r"has token ids up to .* but the model has embeddings for"):
        load(folder)


def test_special_tokens_without_embeddings_do_no_harm(trained_folder, tiny_tokenizer):
    more = builders.wordpiece_tokenizer()
    rows = len(more)
    more.add_special_tokens({"additional_special_tokens": ["[X]"]})
    check_tokenizer(more, rows, "here")
    more.add_tokens(["extra"])
    with pytest.raises(CheckpointError, match="use the tokenizer that the model was trained with"):
        check_tokenizer(more, rows, "here")


def test_a_slow_tokenizer_is_refused():
    with pytest.raises(CheckpointError, match="object is not a fast tokenizer"):
        check_tokenizer(object(), 300, "here")


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A model that reads words and known triples beside its text."""
    folder = tmp_path_factory.mktemp("reader")
    settings = {"model_type": "dgcnn", "hidden_size": 16, "dilations": [1], "segmenter": "characters"}
    tokenizer = builders.wordpiece_tokenizer()
    encoder_config = AutoConfig.for_model(
        **settings, vocab_size=len(tokenizer), word_vocab_size=4, word_embedding_size=8
    )
    model = builders.spo_model(encoder_config, prior=True)
    model.features.words = WordVocabulary(["白", "露", "海"], "characters")
    model.features.prior = TripleStore.from_examples(builders.EXAMPLES, builders.SCHEMA)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


FEATURES = {
    "words that are none": (write("words.txt", b"\xff\xfe\n"), r"words\.txt is damaged"),
    "words that are cut": (write("words.txt", "白\n露\n海".encode()), r"words\.txt is damaged \(truncated after"),
    "fewer words": (
        write("words.txt", "白\n露\n".encode()),
        r"words\.txt has 2 words, but the model has",
    ),
    "another segmenter": (encoder(segmenter="../../x"), r"no segmenter '\.\./\.\./x'"),
    "triples that are cut": (write("prior.jsonl", b'{"subject": "'), r"prior\.jsonl:1: not JSON.*correct or delete"),
    "triples of another schema": (
        write("prior.jsonl", b'{"subject": "a", "predicate": "b", "object": "c"}\n'),
        r"prior\.jsonl:1: .*correct or delete the line",
    ),
    "triples that are none": (write("prior.jsonl", b"\x00\xff"), r"prior\.jsonl:1: "),
}


@pytest.mark.parametrize(("damage", "reason"), FEATURES.values(), ids=FEATURES)
def test_what_is_read_beside_texts_is_refused_if_it_is_broken(reader, tmp_path, damage, reason):
    folder = Path(shutil.copytree(reader, tmp_path / "model"))
    damage(folder)
    with pytest.raises((ValueError, OSError), match=reason):
        load(folder)


GROUPS = {
    "above": [["../outside"]],
    "further above": [["a/../../outside"]],
    "anywhere": [["/outside"]],
    "on a drive": [["C:outside"]],
    "above, another way": [["..\\outside"]],
    "without a name": [[""]],
    "of nothing": [[]],
    "of numbers": [[7]],
}


@pytest.mark.parametrize("groups", GROUPS.values(), ids=GROUPS)
def test_an_ensemble_has_its_members_inside(trained_folder, tmp_path, groups):
    shutil.copytree(trained_folder, tmp_path / "outside")
    folder = Path(shutil.copytree(trained_folder, tmp_path / "model"))
    for name in ("model.safetensors", "config.json"):
        (folder / name).unlink()
    content = {"model_type": "hf_spo_ensemble", "groups": groups, "relations": builders.SCHEMA.to_list()}
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"config\.json: .*(member|groups)"):
        load(folder)


def test_a_broken_member_is_named(trained_folder, tmp_path):
    folder = tmp_path / "ensemble"
    SpoEnsemble.from_models([trained_folder, trained_folder]).save_pretrained(folder)
    load(folder)
    cut(folder / "group-0" / "member-1")
    with pytest.raises(CheckpointError, match=r"member-1/model\.safetensors is damaged or truncated"):
        load(folder)


def test_pickles_are_never_asked_for(trained_folder, folder):
    with pytest.raises(ValueError, match="use_safetensors=False: expected safetensors"):
        SpoForTripleExtraction.from_pretrained(trained_folder, use_safetensors=False)
    # Beside safetensors, a pickle is passed over.
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Malicious(folder.parent / "code was run")))
    SpoForTripleExtraction.from_pretrained(folder)
    assert not (folder.parent / "code was run").exists()


def test_weights_that_the_model_has_not_are_told_of(folder, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)  # which it is on servers for CI only
    tensors(lambda weights: weights.update({"more.weight": torch.ones(2)}))(folder)
    SpoForTripleExtraction.from_pretrained(folder)
    assert "more.weight" in caplog.text


def test_missing_weights_start_at_random_on_request_only(folder):
    tensors(lambda weights: weights.pop(HEAD))(folder)
    model = SpoForTripleExtraction.from_pretrained(folder, ignore_mismatched_sizes=True)
    assert torch.isfinite(model.object_head.weight).all()


def test_a_variant_and_a_config_of_ones_own(folder):
    (folder / "model.safetensors").rename(folder / "model.half.safetensors")
    with pytest.raises(CheckpointError, match=r"has no model\.safetensors"):
        SpoForTripleExtraction.from_pretrained(folder)
    own = SpoConfig.from_pretrained(folder, object_end_threshold=0.25)
    model, info = SpoForTripleExtraction.from_pretrained(folder, variant="half", config=own, output_loading_info=True)
    assert model.config.object_end_threshold == 0.25
    assert not any(info.values())

"""Exports that are damaged or hostile: each is refused with a line that says what is wrong."""

import json
import shutil
from pathlib import Path
from typing import Any

import onnx
import pytest

from hf_spo.onnx import load_onnx


@pytest.fixture
def folder(exported_folder, tmp_path):
    """An export that may be broken."""
    return Path(shutil.copytree(exported_folder, tmp_path / "model"))


def described(**values: Any) -> Any:
    """Return what changes an export's description."""

    def apply(folder: Path) -> None:
        path = folder / "hf_spo_onnx.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**content, **values}), encoding="utf-8")

    return apply


def write(name: str, content: bytes) -> Any:
    return lambda folder: (folder / name).write_bytes(content)


def cut(name: str) -> Any:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:1000])


def swapped(source: str, target: str) -> Any:
    return lambda folder: shutil.copy(folder / source, folder / target)


def outside(location: str, link: bool = False) -> Any:
    """Return what has the encoder read a table from a file elsewhere."""

    def apply(folder: Path) -> None:
        graph = onnx.load(folder / "encoder.onnx")
        table = next(table for table in graph.graph.initializer if len(table.raw_data) > 1000)
        secret = folder.parent / "secret"
        secret.write_bytes(table.raw_data)
        if link:
            (folder / "inside").symlink_to(secret)
        table.ClearField("raw_data")
        table.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", location.format(secret)), ("length", str(secret.stat().st_size))):
            entry = table.external_data.add()
            entry.key, entry.value = key, value
        (folder / "encoder.onnx").write_bytes(graph.SerializeToString())

    return apply


RELATION = {"subject_type": "歌曲", "predicate": "歌手", "object_type": "人物"}
DAMAGED = r"hf_spo_onnx\.json is damaged"
BROKEN = {
    "a list": (write("hf_spo_onnx.json", b"[1]"), DAMAGED),
    "deep": (write("hf_spo_onnx.json", b"[" * 100_000), DAMAGED),
    "a format of text": (described(format_version="x"), DAMAGED),
    "a length of text": (described(max_length="64"), rf"{DAMAGED}.*max_length is '64'"),
    "a length below 0": (described(max_length=-1), rf"{DAMAGED}.*max_length is -1"),
    "a broken length": (described(max_length=2.5), rf"{DAMAGED}.*max_length is 2\.5"),
    "a window below 0": (described(window=-3), rf"{DAMAGED}.*window is -3"),
    "a window that is too long": (described(window=10**9), rf"{DAMAGED}.*window is"),
    "padding of text": (described(pad_token_id="a"), rf"{DAMAGED}.*pad_token_id is 'a'"),
    "padding beyond the vocabulary": (described(pad_token_id=10**9), r"tokenizer\.json has no token 1000000000"),
    "an unknown token below 0": (described(unk_token_id=-1), r"tokenizer\.json has no token -1"),
    "a segmenter that is none": (described(segmenter=3), rf"{DAMAGED}.*segmenter is 3"),
    "a segmenter that is a path": (
        lambda folder: (described(segmenter="../x")(folder), write("words.txt", b"")(folder)),
        r"no segmenter '\.\./x'",
    ),
    "words that are cut": (
        lambda folder: (described(segmenter="characters")(folder), write("words.txt", b"a\nb")(folder)),
        r"words\.txt is damaged \(truncated after 'b'\)",
    ),
    "words that are none": (
        lambda folder: (described(segmenter="characters")(folder), write("words.txt", b"\xff\n")(folder)),
        r"words\.txt is damaged",
    ),
    "known triples that are none": (
        lambda folder: (described(prior=True)(folder), write("prior.jsonl", b'{"subject": 1}\n')(folder)),
        r'prior\.jsonl:1: "subject": expected some text',
    ),
    "no relations": (described(relations=[]), rf"{DAMAGED}.*at least one relation"),
    "fewer relations": (described(relations=[RELATION]), r"points at 14 relations, but hf_spo_onnx\.json names 1"),
    "no threshold": (described(object_end_threshold=float("nan")), rf"{DAMAGED}.*object_end=nan"),
    "calibration that is none": (described(score_calibration=3), DAMAGED),
    "no precision": (described(precision="float64"), DAMAGED),
    "a tokenizer that is cut": (cut("tokenizer.json"), r"tokenizer\.json is damaged"),
    "an empty graph": (write("encoder.onnx", b""), r"cannot load .*encoder\.onnx"),
    "a graph that is cut": (cut("objects.onnx"), r"cannot load .*objects\.onnx"),
    "two graphs of objects": (swapped("objects.onnx", "encoder.onnx"), "do not go together: conditioned, rows, spans"),
    "two graphs of subjects": (swapped("encoder.onnx", "objects.onnx"), "do not go together; export the model again"),
    "data in the folder above": (outside("../secret"), r"cannot load .*encoder\.onnx.*External data"),
    "data anywhere": (outside("{}"), r"cannot load .*encoder\.onnx.*External data"),
    "data behind a link": (outside("inside", link=True), r"cannot load .*encoder\.onnx.*External data"),
}


@pytest.mark.parametrize(("damage", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_export_is_refused(folder, damage, reason):
    damage(folder)
    with pytest.raises((ValueError, OSError), match=reason):
        load_onnx(folder)

"""Integers: taken where F1 stays, kept from where it would fall, refused where nothing helps."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from hf_spo import load_onnx
from hf_spo.onnx import OnnxExportError
from hf_spo.onnx.int8 import strict_f1, to_int8
from tests import builders


@pytest.fixture
def folder(exported_folder, tmp_path):
    return Path(shutil.copytree(exported_folder, tmp_path / "model"))


def change_feed_forward(folder, bias, weight):
    """Set the bias of one inner neuron of each layer, the one that matters least, and its weights on the way out."""
    model = onnx.load(folder / "encoder.onnx")
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    biases = [tensor for name, tensor in tensors.items() if name.endswith("intermediate.dense.bias")]
    read = [tensors.get(node.input[1]) for node in model.graph.node if node.op_type == "MatMul"]
    weights = [tensor for tensor in read if tensor is not None and list(tensor.dims) == [128, 64]]
    for inner, outer in zip(biases, weights, strict=True):
        before, after = (numpy_helper.to_array(tensor).copy() for tensor in (inner, outer))
        neuron = np.abs(after).sum(axis=1).argmin()
        before[neuron], after[neuron] = bias, weight
        inner.CopyFrom(numpy_helper.from_array(before, inner.name))
        outer.CopyFrom(numpy_helper.from_array(after, outer.name))
    onnx.save(model, folder / "encoder.onnx")


def run(folder, max_f1_drop=0.005):
    steps = []
    report = to_int8(folder, builders.EXAMPLES, max_f1_drop, steps.append)
    return report, steps


def test_all_matrices_where_f1_stays(folder):
    size = (folder / "encoder.onnx").stat().st_size
    report, steps = run(folder)
    assert (report.texts, report.float32_f1, report.int8_f1) == (8, 1.0, 1.0)
    assert report.quantized == report.matrices == 2 * 6 + 1
    assert (folder / "encoder.onnx").stat().st_size < 0.7 * size
    assert sorted(path.name for path in folder.iterdir()) == [
        "encoder.onnx", "hf_spo_onnx.json", "objects.onnx", "tokenizer.json",
    ]  # fmt: skip
    assert steps == ["extracting from 8 texts with float32", "extracting from 8 texts with 13 of 13 matrices in int8"]


def test_what_is_written_is_what_was_scored(folder):
    report, _ = run(folder)
    pipe = load_onnx(folder)
    assert strict_f1(pipe.extractor(), builders.EXAMPLES) == report.int8_f1
    operators = {node.op_type for node in onnx.load(folder / "encoder.onnx").graph.node}
    assert "MatMulInteger" in operators


def test_matrices_that_integers_hold_badly_are_spared(folder):
    # A large state that nothing reads: float32 does not mind, but all other states are rounded to it.
    change_feed_forward(folder, bias=1e5, weight=0.0)
    report, steps = run(folder)
    assert report.float32_f1 == 1.0
    assert report.int8_f1 == 1.0
    assert report.quantized == 11
    assert len(steps) == 3  # with all matrices in int8 it fell further


def test_refused_where_f1_falls_anyhow(folder):
    # Large weights that nothing reaches: all other weights of their columns are rounded to nothing.
    change_feed_forward(folder, bias=-1e4, weight=1e6)
    with pytest.raises(OnnxExportError, match=r"F1 on 8 texts from 1\.0000 to 0\.\d+, by 0\.\d+.*at most 0\.005"):
        run(folder)


def test_a_larger_drop_can_be_allowed(folder):
    change_feed_forward(folder, bias=-1e4, weight=1e6)
    report, _ = run(folder, max_f1_drop=1.0)
    assert report.int8_f1 < report.float32_f1 == 1.0

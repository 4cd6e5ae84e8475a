"""Convert the weights of an encoder to 8-bit integers, except those whose inputs have large rounding errors."""

from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from ..model.alignment import Batch
from .folder import ENCODER_FILE
from .quiet import quiet


def signal_to_noise(folder: Path, batch: Batch) -> dict[str, float]:
    """Return the signal-to-noise ratio of each product of states and weights, with states rounded to integers, in dB.

    All states of a batch share one scale. If a few of them are much larger than the others, as in the feed-forward
    layers of some BERTs, the others lose most of their precision (Bondarenko et al. 2021, arXiv:2109.12948).
    """
    # External weights stay in their file, so that the probe is small.
    model = onnx.load(folder / ENCODER_FILE, load_external_data=False)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    products = {node.name: tuple(node.input) for node in model.graph.node if _is_product(node, tensors)}
    outputs = list(dict.fromkeys(state for state, _ in products.values()))
    del model.graph.output[:]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in outputs)
    probe = folder / "probe.onnx"
    onnx.save(model, probe)
    session = onnxruntime.InferenceSession(probe, providers=["CPUExecutionProvider"])
    probe.unlink()
    given = batch.model_inputs()
    found = session.run(outputs, {part.name: given[part.name] for part in session.get_inputs()})
    states = dict(zip(outputs, found, strict=True))
    weights = {name: numpy_helper.to_array(tensors[name], str(folder)) for _, name in products.values()}
    return {node: _ratio(states[state], weights[weight]) for node, (state, weight) in products.items()}


def _is_product(node: Any, tensors: Mapping[str, Any]) -> bool:
    """Return whether a node multiplies states by a matrix of weights."""
    if node.op_type != "MatMul" or node.input[0] in tensors:
        return False
    return node.input[1] in tensors and len(tensors[node.input[1]].dims) == 2


def _ratio(states: np.ndarray, weights: np.ndarray) -> float:
    step = max((states.max(initial=0) - states.min(initial=0)) / 255, _TINY)
    noise = (states - np.round(states / step) * step) @ weights
    return float(10 * np.log10(max(np.square(states @ weights).mean(), _TINY) / max(np.square(noise).mean(), _TINY)))


_TINY = 1e-30


def quantize(source: Path, target: Path, spared: Collection[str]) -> None:
    """Write an encoder with matrices of integers, with a scale for each column.

    States are converted at run time. Everything else stays in float32: embeddings, which would have one scale for the
    whole table; convolutions, which run slower as integers; and the second pass, which is small.

    Args:
        source: folder with the encoder in float32.
        target: folder to write to.
        spared: names of the products to leave in float32.
    """
    model = onnx.load(source / ENCODER_FILE)
    # These shapes are of the weights before the exporter transposed them.
    del model.graph.value_info[:]
    large = (source / f"{ENCODER_FILE}.data").exists()
    with TemporaryDirectory(dir=target) as work, quiet():
        quantize_dynamic(
            model,
            Path(work) / ENCODER_FILE,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=list(spared),
            per_channel=True,
            # 7 bits lose nothing measurable; with 8, sums overflow on processors without VNNI.
            reduce_range=True,
            weight_type=QuantType.QInt8,
            use_external_data_format=large,
        )
        (target / f"{ENCODER_FILE}.data").unlink(missing_ok=True)
        for file in Path(work).iterdir():
            file.replace(target / file.name)

"""Weights of an export's graphs as 8-bit integers."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from .onnx_folder import ENCODER_FILE, OBJECTS_FILE
from .quiet import quiet

# Embeddings (Gather) have one scale for the whole table, which costs more than a point of F1, and convolutions of
# integers run slower than those of floats.
_OPERATORS = ["MatMul"]


def quantize(folder: Path) -> None:
    """Make integers of the weights that states are multiplied by, a scale for each column; states at run time."""
    for name in (ENCODER_FILE, OBJECTS_FILE):
        path = folder / name
        beside = path.with_name(f"{name}.data")
        model = onnx.load(path)
        # Written before weights were turned around, and wrong since.
        del model.graph.value_info[:]
        with TemporaryDirectory(dir=folder) as work, quiet():
            made = Path(work) / name
            quantize_dynamic(
                model,
                made,
                op_types_to_quantize=_OPERATORS,
                per_channel=True,
                weight_type=QuantType.QInt8,
                use_external_data_format=beside.exists(),
            )
            beside.unlink(missing_ok=True)
            for file in Path(work).iterdir():
                shutil.move(file, folder / file.name)

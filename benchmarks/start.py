"""Time from the start of a process to its first triple, compared with importing torch and loading the weights.

Each start is a separate process, timed from outside until it prints. The first run may read files from disk, later runs
read them from the cache. The bare program imports torch and transformers, and loads the weights of the base model into
an encoder without initialising them at random; it extracts nothing.
"""

import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from measuring import Row, Settings, draw
from rich.table import Table

import hf_spo

TARGET = 1.5
ONNX_TARGET_SECONDS = 1.0

_TEXT = "《远山的灯》由林小川执导，周一鸣、何雨晴主演。"
_BARE = """
import sys
import torch
from safetensors.torch import load_file
from transformers import BertConfig, BertModel
config = BertConfig(**BertConfig.get_config_dict(sys.argv[1])[0]["encoder_config"])
with torch.device("meta"):
    encoder = BertModel(config, add_pooling_layer=False)
weights = load_file(sys.argv[1] + "/model.safetensors")
weights = {name.removeprefix("encoder."): weight.float() for name, weight in weights.items() if "encoder." in name}
encoder.load_state_dict(weights, assign=True, strict=True)
print("loaded", flush=True)
"""
_PIPELINE = """
import sys
import hf_spo
from transformers import pipeline
print(pipeline("triple-extraction", model=sys.argv[1])(sys.argv[2])[0]["predicate"], flush=True)
"""
_ONNX = """
import sys
import hf_spo
print(hf_spo.load_onnx(sys.argv[1])(sys.argv[2])[0]["predicate"], flush=True)
"""


def measure(settings: Settings) -> list[Row]:
    """Time the starts of the packaged models, in turn."""
    base, lite = str(hf_spo.packaged()), str(hf_spo.packaged("lite"))
    programs = {
        "bare: imports and weights of base": [_BARE, base],
        "base": [_PIPELINE, base, _TEXT],
        "lite": [_PIPELINE, lite, _TEXT],
    }
    with TemporaryDirectory() as folder:
        if find_spec("onnxruntime") and find_spec("onnxscript"):
            for name in ("base", "lite"):
                programs[f"{name}, ONNX"] = [_ONNX, _export(name, Path(folder) / name), _TEXT]
        seconds: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(2 if settings.quick else 6):
            for name, program in programs.items():
                seconds[name].append(_start(program))
    bare = next(iter(seconds))
    return [
        {
            "what": name,
            "first_seconds": times[0],
            "median_seconds": median(times[1:]),
            "ratio": median(own / other for own, other in zip(times[1:], seconds[bare][1:], strict=True)),
        }
        for name, times in seconds.items()
    ]


def _export(name: str, folder: Path) -> str:
    # In a separate process, so that this one stays small.
    program = """
import sys
import hf_spo
from transformers import AutoTokenizer
source, target = sys.argv[1:]
model = hf_spo.SpoForTripleExtraction.from_pretrained(source, dtype="float32")
hf_spo.onnx.export_onnx(model, AutoTokenizer.from_pretrained(source), target)
"""
    subprocess.run(
        [sys.executable, "-c", program, str(hf_spo.packaged(name)), str(folder)], check=True, stdout=subprocess.DEVNULL
    )
    return str(folder)


def _start(program: list[str]) -> float:
    begin = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", *program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        seconds = time.perf_counter() - begin
        errors = process.stderr.read()
    if process.returncode or not line:
        raise SystemExit(f"a fresh process failed: {errors}")
    return seconds


def table(rows: list[Row]) -> Table:
    """Return the table."""
    columns = {
        "what": ("start of", "s"),
        "first_seconds": ("first run, s", ".2f"),
        "median_seconds": ("later runs, median, s", ".2f"),
        "ratio": ("ratio to the bare program", ".2f"),
    }
    title = (
        f"Process start to first triple (targets: {TARGET} times the bare program with base; ONNX lite under "
        f"{ONNX_TARGET_SECONDS:.0f} s)"
    )
    return draw(title, rows, columns)

"""How much the pipeline costs beside the bare encoder, and how long a first triple takes.

    python benchmarks/extraction_speed.py [--model DIR] [--texts FILE] [--output FILE.json]

The encoder runs over exactly the token batches that the pipeline makes; both are timed in turn, in one process, and the
ratio, pipeline throughput / encoder throughput, is the median over the rounds: 1.00 would mean that tokenisation,
pointers, object passes and decoding are free. A start is a fresh process, timed from outside until the first triple is
printed.
"""

import argparse
import json
import platform
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from transformers import pipeline

import hf_spo
from hf_spo.alignment import pad
from hf_spo.data import read_texts

_START = """
from transformers import pipeline
import hf_spo
print(pipeline("triple-extraction", model={model!r})("《战狼2》是吴京执导的动作电影，由吴京、张翰主演。"), flush=True)
"""


def own_texts(count: int, seed: int = 0) -> list[str]:
    """Make sentences of 15 to 150 characters, the lengths of encyclopaedia text, from parts written for this file."""
    rng = random.Random(seed)
    names = ["林晓舟", "陈默然", "周子衿", "许未央", "苏合", "何以琛宁", "白露为霜", "顾长青", "沈砚", "陆明川"]
    works = ["海上灯塔", "无声的山", "第十三个夏天", "风从西边来", "长街旧事", "月光下的河", "最后的渡船", "星辰之外"]
    parts = [
        "《{w}》是由{a}执导，{b}、{c}联合主演的剧情电影",
        "{a}，1978年生于杭州，毕业于北京电影学院，中国内地男演员",
        "该片改编自{b}的同名小说《{w}》",
        "歌曲《{w}》由{a}作词、{b}作曲、{c}演唱",
        "{a}与妻子{b}育有一女{c}",
        "影片于2019年10月1日在中国大陆上映",
        "{a}创办的远山科技有限公司总部位于深圳，注册资本5000万元",
        "凭借《{w}》，{a}获得了第九届青年电影节最佳男主角奖",
    ]
    texts = []
    for _ in range(count):
        chosen = rng.sample(parts, rng.choice([1, 1, 2, 2, 3, 4]))
        texts.append(
            "，".join(
                p.format(w=rng.choice(works), a=rng.choice(names), b=rng.choice(names), c=rng.choice(names))
                for p in chosen
            )
            + "。"
        )
    return texts


def timed(function: Callable[[], Any]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def throughput(model: str, texts: list[str], dtype: torch.dtype, batch_size: int, rounds: int) -> dict[str, Any]:
    """Time pipeline and bare encoder in turn on the same batches."""
    pipe = pipeline("triple-extraction", model=model, dtype=dtype)
    extractor = pipe.extractor()
    block = batch_size * extractor.look_ahead
    batches = []
    for at in range(0, len(texts), block):
        encodings = sorted(extractor.encode(texts[at : at + block]), key=len)
        batches += [
            pad(encodings[i : i + batch_size], pipe.tokenizer.pad_token_id)
            for i in range(0, len(encodings), batch_size)
        ]
    tensors = [{k: torch.from_numpy(v) for k, v in batch.model_inputs().items()} for batch in batches]

    @torch.inference_mode()
    def bare() -> None:
        for inputs in tensors:
            pipe.model.encoder(**inputs)

    def whole() -> None:
        pipe(texts, batch_size=batch_size)

    bare(), whole()
    encoder, extraction = [], []
    for _ in range(rounds):
        encoder.append(timed(bare))
        extraction.append(timed(whole))
    return {
        "dtype": str(dtype).removeprefix("torch."),
        "encoder_sentences_per_second": len(texts) / median(encoder),
        "pipeline_sentences_per_second": len(texts) / median(extraction),
        "ratio": median(e / p for e, p in zip(encoder, extraction, strict=True)),
        "triples": sum(map(len, pipe(texts, batch_size=batch_size))),
    }


def first_triple(model: str, runs: int) -> dict[str, float]:
    """Time fresh processes until their first triple, and take their peak memory."""
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", _START.format(model=model)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        seconds.append(time.perf_counter() - start)
        if process.wait() or not line.startswith("[{"):
            raise SystemExit(f"the fresh process found no triple: {line!r}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"first_run_seconds": seconds[0], "median_seconds": median(seconds), "peak_memory_mib": peak}


def main() -> None:
    """Read the arguments, measure, print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(hf_spo.packaged()))
    parser.add_argument("--texts", type=Path, help="one text a line; default: sentences made here")
    parser.add_argument("--count", type=int, default=1000, help="texts that are used")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, help="write the figures as JSON, too")
    options = parser.parse_args()
    texts = list(read_texts(options.texts))[: options.count] if options.texts else own_texts(options.count)

    console = Console(width=120)
    console.print(
        f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    console.print(
        f"{len(texts)} texts, {sum(map(len, texts)) / len(texts):.0f} characters on average, "
        f"batches of {options.batch_size}"
    )
    rows = [
        throughput(options.model, texts, dtype, options.batch_size, options.rounds)
        for dtype in (torch.float32, torch.bfloat16)
    ]
    table = Table("dtype", "encoder, sentences/s", "pipeline, sentences/s", "ratio", "triples")
    for row in rows:
        table.add_row(
            row["dtype"],
            f"{row['encoder_sentences_per_second']:.1f}",
            f"{row['pipeline_sentences_per_second']:.1f}",
            f"{row['ratio']:.2f}",
            str(row["triples"]),
        )
    console.print(table)
    start = first_triple(options.model, 3)
    console.print(
        f"process start to first triple: {start['median_seconds']:.1f} s "
        f"(median of 3; first {start['first_run_seconds']:.1f} s), "
        f"peak memory {start['peak_memory_mib']:.0f} MiB"
    )
    if options.output:
        options.output.write_text(json.dumps({"throughput": rows, "start": start}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

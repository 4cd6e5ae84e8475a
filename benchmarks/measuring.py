"""Common parts of the benchmarks: texts, timing, memory, instrumented backends, tables, facts about the machine.

This module imports neither torch nor transformers, so that processes without them can be measured.
"""

import gc
import json
import os
import platform
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

import hf_spo
from hf_spo.data import read_texts
from hf_spo.loading.locations import PACKAGED
from hf_spo.model.alignment import Batch
from hf_spo.model.extraction import PointerBackend
from hf_spo.model.schema import Example, Mention, Schema, Triple

Row = dict[str, Any]
"""One measurement, a row of the JSON file."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of all benchmarks.

    Args:
        texts: file with one text per line; default: generated sentences.
        data: file with labelled texts.
        models: names of packaged models, or folders, whose backends are compared.
        count: number of texts, unless a benchmark has its own.
        limit: largest number of texts of the benchmarks that measure growth.
        rounds: number of rounds in which compared functions take turns; figures are medians over the rounds.
        quick: only check that everything runs.
    """

    texts: Path | None = None
    data: Path | None = None
    models: tuple[str, ...] = tuple(PACKAGED)
    count: int = 512
    limit: int = 100_000
    rounds: int = 3
    quick: bool = False

    def read(self, count: int | None = None) -> list[str]:
        """Return `count` texts, by default as many as the settings say."""
        return list(texts(self.texts, count or self.count))


def texts(file: Path | None, count: int) -> Iterator[str]:
    """Yield texts of a file, repeated if there are too few, or generated sentences."""
    if file is None:
        return (example.text for example in own_examples(count))
    return islice(cycle(filter(None, map(str.strip, read_texts(file)))), count)


# Parts of sentences, and the triples that each states; letters stand for entities.
_PARTS = (
    ("《{w}》是由{a}执导，{b}、{c}联合主演的剧情电影", ("w导演a", "w主演b", "w主演c")),
    ("{a}，1978年生于杭州，毕业于北京电影学院，中国内地男演员", ()),
    ("该片改编自{b}的同名小说《{w}》", ("w作者b",)),
    ("歌曲《{w}》由{a}作词、{b}作曲、{c}演唱", ("w作词a", "w作曲b", "w歌手c")),
    ("{a}与妻子{b}育有一女{c}", ("a妻子b", "b丈夫a", "c父亲a", "c母亲b")),
    ("影片于2019年10月1日在中国大陆上映", ()),
    ("{s}的创始人{a}兼任董事长，公司总部位于深圳，注册资本5000万元", ("s创始人a", "s董事长a")),
    ("凭借《{w}》，{a}获得了第九届青年电影节最佳男主角奖", ()),
)
_NAMES = ("林晓舟", "陈默然", "周子衿", "许未央", "苏合", "何以琛宁", "白露为霜", "顾长青", "沈砚", "陆明川")
_WORKS = ("海上灯塔", "无声的山", "第十三个夏天", "风从西边来", "长街旧事", "月光下的河", "最后的渡船", "星辰之外")
_FIRMS = ("远山科技有限公司", "东湖影业", "晴川文化传媒集团", "知行书店")


def own_examples(count: int, seed: int = 0, parts: Sequence[int] = (1, 1, 2, 2, 3, 4)) -> Iterator[Example]:
    """Generate labelled sentences of 15 to 150 characters, as in encyclopaedias.

    Args:
        count: number of sentences.
        seed: seed of the random choices.
        parts: numbers of parts of a sentence, of which one is chosen at random.
    """
    chance, schema = random.Random(seed), packaged_schema()
    for _ in range(count):
        pieces: list[str] = []
        triples: list[Triple] = []
        for part, stated in chance.sample(_PARTS, chance.choice(parts)):
            a, b, c = chance.sample(_NAMES, 3)
            named = {"a": a, "b": b, "c": c, "w": chance.choice(_WORKS), "s": chance.choice(_FIRMS)}
            pieces.append(part.format(**named))
            triples += [_triple(schema, named[fact[0]], fact[1:-1], named[fact[-1]]) for fact in stated]
        yield Example("，".join(pieces) + "。", tuple(triples))


def _triple(schema: Schema, subject: str, predicate: str, value: str) -> Triple:
    relation = next(relation for relation in schema if relation.predicate == predicate)
    return Triple(Mention(subject, type=relation.subject_type), predicate, Mention(value, type=relation.object_type))


def packaged_schema() -> Schema:
    """Return the relations of the packaged models."""
    config = json.loads((hf_spo.packaged() / "config.json").read_text(encoding="utf-8"))
    return Schema.from_list(config["relations"])


def mixed_lengths(sentences: Sequence[str], count: int, shortest: int = 10, longest: int = 2000) -> list[str]:
    """Join sentences to texts whose lengths are spread evenly on a logarithmic scale."""
    chance, stream = random.Random(0), cycle(sentences)
    made = []
    for length in np.geomspace(shortest, longest, count).astype(int).tolist():
        text = ""
        while len(text) < length:
            text += next(stream)
        made.append(text[:length])
    chance.shuffle(made)
    return made


class RecordingBackend:
    """Runs another backend and records its calls."""

    def __init__(self, backend: PointerBackend) -> None:
        self.backend = backend
        self.batches: list[Batch] = []
        self.asked: list[tuple[int, np.ndarray, np.ndarray]] = []

    def subjects(self, batch: Batch) -> tuple[Any, np.ndarray]:
        """Encode a batch, and record it."""
        self.batches.append(batch)
        return self.backend.subjects(batch)

    def objects(self, state: Any, rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Point at the objects of subjects, and record the batch's number, rows and spans."""
        self.asked.append((len(self.batches) - 1, rows, spans))
        return self.backend.objects(state, rows, spans)


class TimedBackend:
    """Runs another backend and measures the seconds of its two passes."""

    def __init__(self, backend: PointerBackend) -> None:
        self.backend = backend
        self.forget()

    def forget(self) -> None:
        """Reset the seconds to 0."""
        self.seconds = {"subjects": 0.0, "objects": 0.0}

    def subjects(self, batch: Batch) -> tuple[Any, np.ndarray]:
        """Encode a batch."""
        start = time.perf_counter()
        result = self.backend.subjects(batch)
        self.seconds["subjects"] += time.perf_counter() - start
        return result

    def objects(self, state: Any, rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Point at the objects of subjects."""
        start = time.perf_counter()
        result = self.backend.objects(state, rows, spans)
        self.seconds["objects"] += time.perf_counter() - start
        return result


def timed(function: Callable[[], object]) -> float:
    """Return the seconds of a call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def take_turns(functions: Mapping[Any, Callable[[], object]], rounds: int) -> dict[Any, list[float]]:
    """Time functions in turn, so that other work on the machine affects all alike; return the seconds of each round."""
    seconds: dict[Any, list[float]] = {key: [] for key in functions}
    for _ in range(rounds):
        for key, function in functions.items():
            gc.collect()
            seconds[key].append(timed(function))
    return seconds


def in_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of a module in a fresh process, and return its result."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def memory_mib() -> int:
    """Return the resident memory of this process in MiB; its peak where the system does not provide it."""
    return _from_status("VmRSS")


def peak_memory_mib() -> int:
    """Return the peak memory of this process in MiB."""
    return _from_status("VmHWM")


def _from_status(name: str) -> int:
    # Preferred to getrusage, where a child process starts with the peak of its parent.
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) // 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1 << 20 if sys.platform == "darwin" else 1 << 10)


def machine() -> Row:
    """Describe the machine and the versions."""
    return {
        "processor": _processor(),
        "cores": _cores(),
        "python": platform.python_version(),
        **{name: _version(name) for name in ("torch", "transformers", "onnxruntime", "hf-spo")},
    }


def draw(title: str, rows: Sequence[Row], columns: Mapping[str, tuple[str, str]]) -> Table:
    """Return a table.

    Args:
        title: title of the table.
        rows: rows of the table; a value that is missing or None is shown as a dash.
        columns: heading and format of each key.
    """
    table = Table(*(heading for heading, _ in columns.values()), title=title, title_justify="left")
    for row in rows:
        table.add_row(
            *("–" if row.get(key) is None else format(row[key], shape) for key, (_, shape) in columns.items())
        )
    return table


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _version(name: str) -> str | None:
    with suppress(PackageNotFoundError):
        return version(name)
    return None

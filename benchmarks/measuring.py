"""What all benchmarks share: texts, clocks, memory, backends that watch, tables, and what is said of the machine.

Nothing here imports torch or transformers, so that processes which need neither are measured without them.
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
"""One measurement, as it goes into the JSON file."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is measured on.

    Args:
        texts: a file with one text a line; default: sentences made here.
        data: a file with labelled texts.
        models: names of packaged models, or folders, whose backends are compared.
        count: texts that are used, unless a benchmark says otherwise.
        limit: most texts of the benchmark that looks at how cost grows.
        rounds: how often those that are compared take turns; figures are medians over the rounds.
        quick: only see whether everything runs.
    """

    texts: Path | None = None
    data: Path | None = None
    models: tuple[str, ...] = tuple(PACKAGED)
    count: int = 512
    limit: int = 100_000
    rounds: int = 3
    quick: bool = False

    def read(self, count: int | None = None) -> list[str]:
        """Return this many texts."""
        return list(texts(self.texts, count or self.count))


def texts(file: Path | None, count: int) -> Iterator[str]:
    """Yield texts of a file, over and over if it has too few, or sentences made here."""
    if file is None:
        return (example.text for example in own_examples(count))
    return islice(cycle(filter(None, map(str.strip, read_texts(file)))), count)


# Parts of sentences, and the triples that each states: who or what stands where a letter does.
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
    """Make labelled sentences of 15 to 150 characters, the lengths of encyclopaedia text, from parts written here.

    Args:
        count: how many.
        seed: of the chance that puts them together.
        parts: a sentence has as many parts as one of these says.
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
    """Make texts of lengths that are evenly spread on a logarithmic scale, by putting sentences together."""
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
    """Another backend, and the memory of all that was asked of it."""

    def __init__(self, backend: PointerBackend) -> None:
        self.backend = backend
        self.batches: list[Batch] = []
        self.asked: list[tuple[int, np.ndarray, np.ndarray]] = []

    def subjects(self, batch: Batch) -> tuple[Any, np.ndarray]:
        """Encode a batch, and keep it."""
        self.batches.append(batch)
        return self.backend.subjects(batch)

    def objects(self, state: Any, rows: np.ndarray, spans: np.ndarray) -> np.ndarray:
        """Point at the objects of subjects, and keep the batch's number, rows and spans."""
        self.asked.append((len(self.batches) - 1, rows, spans))
        return self.backend.objects(state, rows, spans)


class TimedBackend:
    """Another backend, and the seconds that its two passes took."""

    def __init__(self, backend: PointerBackend) -> None:
        self.backend = backend
        self.forget()

    def forget(self) -> None:
        """Begin at 0."""
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
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def take_turns(functions: Mapping[Any, Callable[[], object]], rounds: int) -> dict[Any, list[float]]:
    """Time functions in turn, so that what else the machine does hits all alike. Returns seconds, one a round."""
    seconds: dict[Any, list[float]] = {key: [] for key in functions}
    for _ in range(rounds):
        for key, function in functions.items():
            gc.collect()
            seconds[key].append(timed(function))
    return seconds


def in_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function of a module returns, called in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def memory_mib() -> int:
    """Return the memory that this process holds at the moment, where the system tells, in MiB; else its peak."""
    return _from_status("VmRSS")


def peak_memory_mib() -> int:
    """Return the most memory that this process has held, in MiB."""
    return _from_status("VmHWM")


def _from_status(name: str) -> int:
    # Not getrusage where it can be helped: a child begins its life there with its parent's peak.
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) // 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1 << 20 if sys.platform == "darwin" else 1 << 10)


def machine() -> Row:
    """Say what the figures were measured on."""
    return {
        "processor": _processor(),
        "cores": _cores(),
        "python": platform.python_version(),
        **{name: _version(name) for name in ("torch", "transformers", "onnxruntime", "hf-spo")},
    }


def draw(title: str, rows: Sequence[Row], columns: Mapping[str, tuple[str, str]]) -> Table:
    """Make a table of rows.

    Args:
        title: above it.
        rows: to show; a value that a row lacks, or that is None, is a dash.
        columns: key → heading and format.
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

"""Extraction from a corpus into a folder of files, with progress."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Annotated, ClassVar

import typer
from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from ..corpus import CorpusJob, Engine, LocalEngine, Progress
from ..corpus.job import PART_SIZE
from ..corpus.parts import PartFormat, Rows
from ..data.documents import STDIN, Source, count_documents
from ..doctor.diagnosis import counted
from ..model.fields import json_line
from .console import is_terminal, say
from .models import ModelChoice
from .options import option
from .stream import Extraction


class EngineName(StrEnum):
    """What computes: processes of this machine, or a Ray cluster."""

    LOCAL = "local"
    RAY = "ray"


@dataclass(frozen=True, slots=True)
class CorpusOptions:
    """Form of a folder of results, and what computes them."""

    PANEL: ClassVar = "Corpus (--output names a folder)"

    rows: Annotated[Rows, option("Content of a row of the output.")] = Rows.DOCUMENT
    output_format: Annotated[PartFormat, option("Format of the files.")] = PartFormat.JSONL
    part_size: Annotated[int, option("Documents per file.", min=1, metavar="N")] = PART_SIZE
    engine: Annotated[
        EngineName, option("Compute on this machine, or on a Ray cluster (pip install 'hf-spo[ray]').")
    ] = EngineName.LOCAL
    workers: Annotated[
        int | None,
        option(
            "Processes, or workers of the cluster, each with its own model. On a CPU, one per core is fastest if "
            "memory suffices.",
            default="1; ray: one per machine", min=1, metavar="N",
        ),
    ] = None  # fmt: skip
    address: Annotated[
        str | None,
        option(
            "Address of a running Ray cluster; auto: the one of this machine.",
            default="a new cluster on this machine", metavar="ADDRESS",
        ),
    ] = None  # fmt: skip

    def start(self, choice: ModelChoice, batch_size: int | None, sources: Sequence[Source]) -> Engine:
        """Return the engine.

        Raises:
            ImportError: Ray is not installed.
            typer.BadParameter: the options contradict each other.
        """
        if self.engine == EngineName.LOCAL:
            if self.address:
                raise typer.BadParameter("--address needs --engine ray")
            return LocalEngine(self.workers or 1, batch_size)
        if any(source.name == STDIN for source in sources):
            raise typer.BadParameter("--engine ray cannot read stdin, since it reads in another process; name files")
        from ..corpus.ray_engine import RayEngine

        uses_gpu = (choice.device or "").startswith("cuda")
        return RayEngine(self.workers, self.address, batch_size, gpus=1 if uses_gpu else 0)


def extract_corpus(extraction: Extraction, folder: Path, options: CorpusOptions) -> None:
    """Extract from documents into a folder of files, and show the progress.

    Raises:
        typer.BadParameter: the options contradict each other.
        OSError, ValueError: see [`CorpusJob.run`].
        typer.Exit: no document could be read, or the run was stopped.
    """
    choice, documents = extraction.choice, extraction.documents
    sources = documents.sources()
    engine = options.start(choice, extraction.batch_size, sources)
    if options.engine == EngineName.LOCAL and options.workers and choice.threads is None:
        choice = replace(choice, threads=max(1, (os.cpu_count() or 1) // options.workers))
    job = CorpusJob(
        sources,
        folder,
        documents.reading,
        options.rows,
        options.output_format,
        options.part_size,
        {"model": choice.name, "revision": choice.revision()},
        {"columns": documents.reading.to_dict(), "parameters": dict(extraction.options)},
    )
    began = time.monotonic()
    try:
        with _shown(sources) as tell:
            done = job.run(engine, partial(choice.load_loop, extraction.options), tell)
    except KeyboardInterrupt:
        say(f"hf-spo: stopped; the same command continues in {folder}")
        raise typer.Exit(130) from None
    _sum_up(done, folder, time.monotonic() - began)


def _sum_up(done: Progress, folder: Path, seconds: float) -> None:
    failed = f"; {done.failed:,} failed, see {folder}/_errors-*.jsonl" if done.failed else ""
    found = f"{counted(done.triples, 'triple')} of {counted(done.documents, 'document')}"
    say(f"hf-spo: {folder} has {found} in {counted(done.parts, 'part')}{failed} ({seconds:,.1f} s)")
    if not is_terminal(sys.stdout):
        typer.echo(json_line({"output": str(folder), **asdict(done)}))
    if done.failed and not done.documents:
        raise typer.Exit(1)


_EVERY = 30
"""Seconds between messages where no bar can be drawn."""


@contextmanager
def _shown(sources: Sequence[Source]) -> Iterator[Callable[[Progress], None]]:
    """Show the progress of a run: a bar on a terminal, elsewhere a message every 30 seconds."""
    meter = _Meter()
    # In a thread, since counting takes a while in large files.
    Thread(target=meter.count, args=(sources,), daemon=True).start()
    if not is_terminal(sys.stderr):
        yield meter.tell_in_lines
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"))
    with Bar(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("extracting", total=None, state="")

        def tell(progress: Progress) -> None:
            bar.update(task, completed=meter.done(progress), total=meter.total, state=meter.state(progress))

        yield tell


class _Meter:
    """Computes rate and remaining time."""

    def __init__(self) -> None:
        self.total: int | None = None
        self._first: tuple[float, int] | None = None
        self._said = time.monotonic()

    def count(self, sources: Sequence[Source]) -> None:
        self.total = count_documents(sources)

    def done(self, progress: Progress) -> int:
        return progress.documents + progress.failed

    def rate(self, progress: Progress) -> float:
        """Return documents per second, measured from the first one."""
        now, done = time.monotonic(), self.done(progress)
        if self._first is None:
            self._first = now, done
        since, before = self._first
        return (done - before) / max(now - since, 1e-3)

    def state(self, progress: Progress) -> str:
        of = "" if self.total is None else f" of {self.total:,}"
        rate = self.rate(progress)
        return f"{self.done(progress):,}{of} documents, {progress.triples:,} triples, {rate:,.0f}/s"

    def tell_in_lines(self, progress: Progress) -> None:
        rate, now = self.rate(progress), time.monotonic()
        if now - self._said < _EVERY:
            return
        self._said = now
        left = ""
        if self.total is not None and rate > 0:
            left = f", {(self.total - self.done(progress)) / rate:,.0f} s left"
        say(f"hf-spo: {self.state(progress)}{left}")

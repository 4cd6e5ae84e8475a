"""Extraction from a corpus into a folder, with what is seen of it on the way."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

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
from .stream import ExtractionInputs


class EngineName(StrEnum):
    """Where the work is done."""

    LOCAL = "local"
    RAY = "ray"


@dataclass(frozen=True, slots=True)
class Layout:
    """What the output looks like; see [`CorpusJob`]."""

    rows: Rows = Rows.DOCUMENT
    form: PartFormat = PartFormat.JSONL
    part_size: int = PART_SIZE


@dataclass(frozen=True, slots=True)
class Workers:
    """Who does the work.

    Args:
        engine: this machine, or a cluster.
        number: of processes, or of the cluster's workers.
        address: of the cluster, if it runs already.
    """

    engine: EngineName = EngineName.LOCAL
    number: int | None = None
    address: str | None = None

    def start(self, choice: ModelChoice, batch_size: int | None, sources: Sequence[Source]) -> Engine:
        """Return the engine.

        Raises:
            ImportError: Ray is not installed.
            typer.BadParameter: the options contradict each other.
        """
        if self.engine == EngineName.LOCAL:
            if self.address:
                raise typer.BadParameter("--address is for --engine ray")
            return LocalEngine(self.number or 1, batch_size)
        if any(source.name == STDIN for source in sources):
            raise typer.BadParameter("--engine ray reads in another process, which has no stdin; name files")
        from ..corpus.ray_engine import RayEngine

        uses_gpu = (choice.device or "").startswith("cuda")
        return RayEngine(self.number, self.address, batch_size, gpus=1 if uses_gpu else 0)


def extract_corpus(
    choice: ModelChoice,
    parameters: Mapping[str, Any],
    batch_size: int | None,
    given: ExtractionInputs,
    folder: Path,
    layout: Layout,
    workers: Workers,
) -> None:
    """Extract from documents into a folder of parts, telling how far it is.

    Raises:
        typer.BadParameter: the options contradict each other.
        OSError, ValueError: see [`CorpusJob.run`].
        typer.Exit: nothing could be extracted from, or the run was stopped.
    """
    sources = given.sources()
    engine = workers.start(choice, batch_size, sources)
    if workers.engine == EngineName.LOCAL and workers.number and choice.threads is None:
        choice = replace(choice, threads=max(1, (os.cpu_count() or 1) // workers.number))
    job = CorpusJob(
        sources,
        folder,
        given.options,
        layout.rows,
        layout.form,
        layout.part_size,
        {"model": choice.name, "revision": choice.revision()},
        {"columns": given.options.to_dict(), "parameters": dict(parameters)},
    )
    began = time.monotonic()
    try:
        with _shown(sources) as tell:
            done = job.run(engine, partial(choice.load_loop, parameters), tell)
    except KeyboardInterrupt:
        say(f"hf-spo: stopped; run the same command again to go on in {folder}")
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
"""Seconds between lines where no bar can be drawn."""


@contextmanager
def _shown(sources: Sequence[Source]) -> Iterator[Callable[[Progress], None]]:
    """Show how far a run is: a bar on a terminal, elsewhere a line now and then."""
    meter = _Meter()
    # Counting takes a while in large files, and the work need not wait for it.
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
    """Knows rate and time left."""

    def __init__(self) -> None:
        self.total: int | None = None
        self._first: tuple[float, int] | None = None
        self._said = time.monotonic()

    def count(self, sources: Sequence[Source]) -> None:
        self.total = count_documents(sources)

    def done(self, progress: Progress) -> int:
        return progress.documents + progress.failed

    def rate(self, progress: Progress) -> float:
        """Return documents a second, since the first came out."""
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

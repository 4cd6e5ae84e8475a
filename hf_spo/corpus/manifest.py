"""The manifest of an output folder: it lists the finished parts, so that a run can be resumed."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..data.documents import STDIN, Source
from ..model.fields import json_line
from .parts import PartWriter, written_parts

MANIFEST_FILE = "_manifest.jsonl"
"""Readers of a folder of Parquet files ignore names that begin with an underscore."""

_KIND = "hf-spo corpus"


class Manifest:
    """The manifest of an output folder; parts that it does not list are deleted.

    Args:
        folder: with the parts.
        settings: of the run; a run is resumed only with the same.

    Raises:
        ValueError: the folder has other content, or a run with other settings.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.path = folder / MANIFEST_FILE
        self.documents = self.triples = self.failed = self.parts = 0
        self._read: dict[str, int] = {}
        self._sources: dict[str, dict[str, Any]] = {}
        self._ended: set[str] = set()
        self._open: set[str] = set()
        if self.path.exists():
            self._load(settings)
        else:
            if any(not entry.name.startswith(".") for entry in folder.iterdir()):
                raise ValueError(f"{folder} is not empty and has no {MANIFEST_FILE}; name another folder")
            self._append({"kind": _KIND, **settings})
        for number, path in written_parts(folder):
            if number >= self.parts or path.name.startswith("."):
                path.unlink()

    def done(self, source: Source) -> int | None:
        """Return how many documents of a source are done; None if it is finished and has not grown.

        Raises:
            ValueError: a file has changed other than by lines at its end, or stdin was read to its end before.
        """
        known = self._sources.get(source.name)
        read = self._read.get(source.name, 0)
        if source.name == STDIN and source.name in self._ended:
            raise ValueError(
                f"{self.path.parent} has the results of an earlier stdin, and whether this one has the same documents "
                f"is not known; name another folder for the output"
            )
        if known is None or source.path is None:
            return read
        same, ended = known["size"] == source.size, source.name in self._ended
        if known["size"] > (source.size or 0) or source.fingerprint(known["size"]) != known["fingerprint"]:
            raise ValueError(f"{source.name} has changed since the run began; name another folder for the output")
        if (
            not same
            and read
            and (not source.can_grow or (source.name in self._open and _goes_on(source, known["size"])))
        ):
            raise ValueError(
                f"{source.name} has changed in the lines that were read; name another folder for the output"
            )
        return None if same and ended else read

    def note_sources(self, sources: Sequence[Source]) -> None:
        """Record the sizes and fingerprints of the files."""
        found = {source.name: {"size": source.size, "fingerprint": source.fingerprint()} for source in sources}
        changed = {name: entry for name, entry in found.items() if self._sources.get(name) != entry}
        self._append(*({"source": name, **entry} for name, entry in changed.items()))
        self._sources.update(changed)
        self._ended -= changed.keys()

    def add(self, part: PartWriter) -> None:
        """Record a finished part."""
        counts = {"documents": part.documents, "triples": part.triples, "failed": part.failed, "read": part.read}
        self._append({"part": part.path.name, **counts})
        self._count(counts)

    def end(self, sources: Sequence[Source]) -> None:
        """Record that sources are finished, and whether their last line lacks a line feed."""
        ends = {source.name: source.path is not None and _ends_open(source.path, source.size) for source in sources}
        self._append(*({"ended": name, "open": is_open} for name, is_open in ends.items()))
        for name, is_open in ends.items():
            self._note_end(name, is_open)

    def _load(self, settings: Mapping[str, Any]) -> None:
        lines = self.path.read_bytes().split(b"\n")
        whole = lines[:-1]  # a last line without a line feed is incomplete
        rows = [json.loads(line) for line in whole]
        if not rows or rows[0].get("kind") != _KIND:
            raise ValueError(f"{self.path} is not a manifest of this program; name another folder")
        for name, value in settings.items():
            if rows[0].get(name) != value:
                raise ValueError(
                    f"{self.path.parent} has a run with {name} {rows[0].get(name)!r}, and this one has {value!r}; name "
                    f"another folder, or delete this one"
                )
        with self.path.open("r+b") as file:
            file.truncate(sum(len(line) + 1 for line in whole))
        for row in rows[1:]:
            if "part" in row:
                self._count(row)
            elif "source" in row:
                self._sources[row["source"]] = {"size": row["size"], "fingerprint": row["fingerprint"]}
                self._ended.discard(row["source"])
            elif "ended" in row:
                self._note_end(row["ended"], row["open"])

    def _note_end(self, name: str, is_open: bool) -> None:
        self._ended.add(name)
        (self._open.add if is_open else self._open.discard)(name)

    def _count(self, row: Mapping[str, Any]) -> None:
        self.parts += 1
        self.documents += row["documents"]
        self.triples += row["triples"]
        self.failed += row["failed"]
        for name, number in row["read"].items():
            self._read[name] = self._read.get(name, 0) + number

    def _append(self, *rows: Mapping[str, Any]) -> None:
        if not rows:
            return
        with self.path.open("ab") as file:
            file.write("".join(f"{json_line(row)}\n" for row in rows).encode())
            file.flush()
            os.fsync(file.fileno())


def _ends_open(path: Path, size: int | None) -> bool:
    """Tell whether a file's last line lacks a line feed; False for one that has grown since."""
    try:
        if not size or path.stat().st_size != size:
            return False
        with path.open("rb") as file:
            file.seek(size - 1)
            return file.read(1) != b"\n"
    except FileNotFoundError:  # it was deleted since; its documents are done
        return False


def _goes_on(source: Source, size: int) -> bool:
    """Tell whether text was appended to a last line without a line feed."""
    assert source.path is not None
    with source.path.open("rb") as file:
        file.seek(size)
        return file.read(1) not in (b"\n", b"\r")

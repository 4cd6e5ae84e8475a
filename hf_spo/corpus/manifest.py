"""What of a corpus is done: a line for each part, beside the parts, so that a run that was stopped goes on."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..data.documents import STDIN, Source
from ..model.fields import json_line
from .parts import PartWriter, written_parts

MANIFEST_FILE = "_manifest.jsonl"
"""What begins with an underscore is passed over by whoever reads a folder of Parquet files."""

_KIND = "hf-spo corpus"


class Manifest:
    """The manifest of an output folder; parts that it does not name do not count.

    Args:
        folder: of the output.
        settings: what a run is made with; a run that goes on has to have the same.

    Raises:
        ValueError: the folder has something else in it, or a run with other settings.
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
        """Return how many documents of a source are done; None if it ended, and is as it was.

        Raises:
            ValueError: a file is not the one that was read, nor has it merely grown; or it is stdin, and ended.
        """
        known = self._sources.get(source.name)
        read = self._read.get(source.name, 0)
        if source.name == STDIN and source.name in self._ended:
            raise ValueError(
                f"{self.path.parent} has all of what stdin was, and what it is now cannot be told from it; name "
                f"another folder for the output"
            )
        if known is None or source.path is None:
            return read
        same, ended = known["size"] == source.size, source.name in self._ended
        if known["size"] > (source.size or 0) or source.fingerprint(known["size"]) != known["fingerprint"]:
            raise ValueError(f"{source.name} is not what it was when the run began; name another folder for the output")
        if (
            not same
            and read
            and (not source.can_grow or (source.name in self._open and _goes_on(source, known["size"])))
        ):
            raise ValueError(
                f"{source.name} has changed within what was read, not only grown; name another folder for the output"
            )
        return None if same and ended else read

    def note_sources(self, sources: Sequence[Source]) -> None:
        """Write down what the files look like."""
        found = {source.name: {"size": source.size, "fingerprint": source.fingerprint()} for source in sources}
        changed = {name: entry for name, entry in found.items() if self._sources.get(name) != entry}
        self._append(*({"source": name, **entry} for name, entry in changed.items()))
        self._sources.update(changed)
        self._ended -= changed.keys()

    def add(self, part: PartWriter) -> None:
        """Write down that a part is done."""
        counts = {"documents": part.documents, "triples": part.triples, "failed": part.failed, "read": part.read}
        self._append({"part": part.path.name, **counts})
        self._count(counts)

    def end(self, sources: Sequence[Source]) -> None:
        """Write down that sources have no more documents, and whether their last line has no end."""
        ends = {source.name: source.path is not None and _ends_open(source.path, source.size) for source in sources}
        self._append(*({"ended": name, "open": is_open} for name, is_open in ends.items()))
        for name, is_open in ends.items():
            self._note_end(name, is_open)

    def _load(self, settings: Mapping[str, Any]) -> None:
        lines = self.path.read_bytes().split(b"\n")
        whole = lines[:-1]  # what follows the last line feed was being written when the run was stopped
        rows = [json.loads(line) for line in whole]
        if not rows or rows[0].get("kind") != _KIND:
            raise ValueError(f"{self.path} is no manifest of a corpus; name another folder")
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
    """Tell whether a file's last line has no end; one that has grown since was not read to its last line."""
    try:
        if not size or path.stat().st_size != size:
            return False
        with path.open("rb") as file:
            file.seek(size - 1)
            return file.read(1) != b"\n"
    except FileNotFoundError:  # it has gone since; what was read of it is done
        return False


def _goes_on(source: Source, size: int) -> bool:
    """Tell whether a line that had no end goes on."""
    assert source.path is not None
    with source.path.open("rb") as file:
        file.seek(size)
        return file.read(1) not in (b"\n", b"\r")

"""Convert labelled texts from one format to another, with a report of what is lost."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .formats.base import ConversionReport, DataFormatError, Format, Record
from .formats.registry import detect, find_format, format_names
from .reading import read_records
from .splitting import Split

PART = "{split}"
"""Replaced by the name of a part in file names."""

_BY_SUFFIX = {".jsonl": "hf-spo", ".tsv": "tsv", ".parquet": "parquet", ".spacy": "docbin"}


@dataclass(slots=True)
class Counts:
    """What was written to a file; entities are those in no triple."""

    path: Path
    records: int = 0
    triples: int = 0
    entities: int = 0

    def watch(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the records and count them."""
        for record in records:
            self.records += 1
            self.triples += len(record.triples)
            self.entities += len(record.entities)
            yield record

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        numbers = {"records": self.records, "triples": self.triples, "entities": self.entities}
        return {"file": str(self.path), **numbers}


@dataclass(frozen=True, slots=True)
class Conversion:
    """The outcome of a conversion.

    Args:
        source: file or folder that was read.
        source_format, target_format: names of the formats.
        files: what was written, by the part of a split; "all" without a split.
        read: what the reader left out, corrected and skipped.
        written: what the target format cannot hold, and what was looked up for it.
    """

    source: Path
    source_format: str
    target_format: str
    files: Mapping[str, Counts]
    read: ConversionReport
    written: ConversionReport = field(default_factory=ConversionReport)

    @property
    def corrected(self) -> Mapping[str, int]:
        """What was corrected or looked up."""
        return dict(self.read.corrected + self.written.corrected)

    def total(self, name: str) -> int:
        """Return the number of "records", "triples" or "entities" in all files."""
        return sum(getattr(counts, name) for counts in self.files.values())

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "input": str(self.source),
            "from": self.source_format,
            "to": self.target_format,
            **{name: self.total(name) for name in ("records", "triples", "entities")},
            "files": {part: counts.to_dict() for part, counts in self.files.items()},
            "not_read": dict(self.read.lost),
            "not_written": dict(self.written.lost),
            "corrected": dict(self.corrected),
            "doubtful": dict(self.read.doubtful),
            "skipped": self.read.skipped,
        }


def convert(
    source: Path,
    target: Path,
    *,
    source_format: str | None = None,
    target_format: str | None = None,
    split: Split | None = None,
    report: ConversionReport | None = None,
) -> Conversion:
    """Read labelled texts and write them in another format; with a split, the source is read once for each part.

    Args:
        source: see [`read_records`].
        target: file to write, or a folder for formats that need one. With a split, a folder for the files of the parts,
            or a file name with {split} for the part's name; missing folders are then created.
        source_format, target_format: names; default: recognised from the source, and from the target's suffix.
        split: parts to divide the texts into.
        report: of reading.

    Raises:
        DataFormatError: a format is unknown, cannot be written, or does not follow from the suffix; or the source
            cannot be read, see [`read_records`].
        FileNotFoundError: the source or the folder of the target does not exist.
    """
    report = report or ConversionReport()
    found = find_format(source_format) if source_format else detect(source)
    writer = _target_format(target, target_format)
    files = {part: Counts(path) for part, path in _files(target, writer, split).items()}
    conversion = Conversion(source, found.name, writer.name, files, report)
    assert writer.write is not None
    for number, (part, counts) in enumerate(files.items()):
        # The first pass reports what is wrong with the source.
        taken = report.on_bad_line and _ignore
        once = report if number == 0 else report.fresh(taken)
        records = read_records(source, source_format, once)
        if split is not None:
            records = _part(records, split, part)
        writer.write(counts.watch(records), counts.path, conversion.written)
    return conversion


def _ignore(bad: object) -> None:
    pass


def _part(records: Iterable[Record], split: Split, part: str) -> Iterator[Record]:
    return (record for record in records if split.part(record.text) == part)


def _target_format(target: Path, name: str | None) -> Format:
    """Return the format to write.

    Raises:
        DataFormatError: it cannot be written, or does not follow from the file's name.
    """
    name = name or _BY_SUFFIX.get(target.suffix)
    writers = [known.name for known in map(find_format, format_names()) if known.write is not None]
    if name is None:
        known = f"its suffix {target.suffix} does not tell" if target.suffix else "it has no suffix that tells"
        raise DataFormatError(f"{target}: {known} the format to write; name one with --to: {', '.join(writers)}")
    found = find_format(name)
    if found.write is None:
        raise DataFormatError(f"{name} can be read, but not written; formats to write are {', '.join(writers)}")
    return found


def _files(target: Path, form: Format, split: Split | None) -> dict[str, Path]:
    if split is None:
        return {"all": target}
    if PART in target.name:
        target.parent.mkdir(parents=True, exist_ok=True)
        return {part: target.with_name(target.name.replace(PART, part)) for part in split.parts}
    if target.suffix and not target.is_dir():
        raise DataFormatError(
            f"{target}: a split writes several files; name a folder, or put {PART} into the file name, such as "
            f"{target.stem}-{PART}{target.suffix}"
        )
    target.mkdir(parents=True, exist_ok=True)
    return {part: target / f"{part}{form.suffix}" for part in split.parts}

"""Data sets of the Hub, and folders that `datasets` saved, with rows of any known shape."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .base import ConversionReport, DataFormatError, Format, Record, Sample
from .json_rows import numbered, parsed
from .shapes import record_from_row

HUB_PREFIX = "hub:"
_SPLITS = "dataset_dict.json"


def load_from_hub(name: str) -> Any:
    """Return a data set of the Hub, hub:NAME, hub:NAME:SPLIT or hub:NAME:CONFIGURATION:SPLIT, for streaming.

    Raises:
        DataFormatError: it cannot be loaded.
    """
    from datasets import load_dataset

    path, *rest = name.removeprefix(HUB_PREFIX).split(":")
    split = rest.pop() if rest else "train"
    try:
        return load_dataset(path, *rest, split=split, streaming=True)
    except Exception as error:  # of its loaders or the network
        raise DataFormatError(f"{name} cannot be loaded: {_first_line(error)}") from None


def rows_of(data: Iterable[dict[str, Any]], name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a data set; its files are read while iterating.

    Raises:
        DataFormatError: a file cannot be read.
    """
    try:
        yield from data
    except Exception as error:  # of its loaders or the network
        raise DataFormatError(f"{name} cannot be read to its end: {_first_line(error)}") from None


def _read_hub(path: Path, report: ConversionReport) -> Iterator[Record]:
    name = path.as_posix()
    return _records(rows_of(load_from_hub(name), name), path, report)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _read_folder(path: Path, report: ConversionReport) -> Iterator[Record]:
    from datasets import load_from_disk

    if (path / _SPLITS).exists():
        splits = ", ".join(sorted(str(part) for part in path.iterdir() if part.is_dir()))
        raise DataFormatError(f"{path} holds several splits; name one of them: {splits}")
    try:
        rows = load_from_disk(path)
    except (ValueError, OSError) as error:
        raise DataFormatError(f"{path}: not a data set saved by datasets ({_first_line(error)})") from None
    return _records(rows, path, report)


def _records(rows: Iterable[dict[str, Any]], path: Path, report: ConversionReport) -> Iterator[Record]:
    return parsed(numbered(rows), path, lambda row: record_from_row(row, report), report)


def _is_hub(sample: Sample) -> bool:
    return sample.path.as_posix().startswith(HUB_PREFIX)


def _is_folder(sample: Sample) -> bool:
    return any((sample.path / name).is_file() for name in (_SPLITS, "state.json"))


HUB = Format(
    "hub",
    "a data set of the Hub: hub:NAME, hub:NAME:SPLIT or hub:NAME:CONFIGURATION:SPLIT",
    _is_hub,
    _read_hub,
)
FOLDER = Format("datasets", "a folder that save_to_disk of datasets wrote", _is_folder, _read_folder)

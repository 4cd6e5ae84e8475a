"""An evaluation report in a folder: data, page, predictions."""

import os
from contextlib import suppress
from pathlib import Path

from ..files import json_line
from .page import render
from .report import Report


def write_report(report: Report, folder: str | Path) -> None:
    """Write report.json, report.html and predictions.jsonl (text and triples, as `hf-spo extract` writes them).

    The folder is made if it is not there. A file appears whole or not at all, and none appears before all are written.

    Raises:
        NotADirectoryError: there is a file of the folder's name.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; name a folder for the report")
    rows = ({"text": r.text, "triples": [triple.to_dict() for triple in r.predicted]} for r in report.texts)
    contents = {
        "report.json": json_line(report.to_dict(), indent=2) + "\n",
        "report.html": render(report),
        "predictions.jsonl": "".join(f"{json_line(row)}\n" for row in rows),
    }
    folder.mkdir(parents=True, exist_ok=True)
    parts = {folder / name: folder / f".{name}.{os.getpid()}.part" for name in contents}
    try:
        for part, content in zip(parts.values(), contents.values(), strict=True):
            part.write_text(content, encoding="utf-8", newline="\n")
        for path, part in parts.items():
            part.replace(path)
    finally:
        for part in parts.values():
            with suppress(FileNotFoundError):
                part.unlink()

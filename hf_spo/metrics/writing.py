"""An evaluation report in a folder: data, page, predictions, plots."""

import os
from contextlib import suppress
from pathlib import Path

from ..model.fields import json_line
from .page import render
from .plots import PLOT_NAMES, plots
from .report import Report

_PLOTS = "plots"


def write_report(report: Report, folder: str | Path) -> None:
    """Write report.json, report.html, predictions.jsonl (text and triples, as `hf-spo extract` writes them) and plots/.

    The plots are those of the page and one of the relations, as SVG and PNG. The folder is made if it is not there. A
    file appears whole or not at all, and none appears before all are written.

    Raises:
        NotADirectoryError: there is a file of the folder's name.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; name a folder for the report")
    rows = ({"text": r.text, "triples": [triple.to_dict() for triple in r.predicted]} for r in report.texts)
    texts = {
        "report.json": json_line(report.to_dict(), indent=2) + "\n",
        "report.html": render(report),
        "predictions.jsonl": "".join(f"{json_line(row)}\n" for row in rows),
    }
    contents = {name: text.encode() for name, text in texts.items()}
    for plot in plots(report):
        contents |= {f"{_PLOTS}/{name}": content for name, content in plot.files().items()}
    (folder / _PLOTS).mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in contents]
    parts = {path: path.with_name(f".{path.name}.{os.getpid()}.part") for path in paths}
    try:
        for part, content in zip(parts.values(), contents.values(), strict=True):
            part.write_bytes(content)
        for path, part in parts.items():
            part.replace(path)
    finally:
        for part in parts.values():
            with suppress(FileNotFoundError):
                part.unlink()
    for path in (folder / _PLOTS).iterdir():
        if path.stem in PLOT_NAMES and path not in parts:
            path.unlink()  # an earlier report had it, this one has not

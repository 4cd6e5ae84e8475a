"""Files of an evaluation report: data, page, predictions and plots."""

from contextlib import ExitStack
from pathlib import Path

from ..model.fields import json_line
from ..support.files import whole_path
from .page import render
from .plots import PLOT_NAMES, plots
from .report import Report

_PLOTS = "plots"


def write_report(report: Report, folder: str | Path) -> None:
    """Write report.json, report.html, predictions.jsonl (the output of `hf-spo extract`) and plots/ (SVG and PNG).

    The folder is created if it does not exist. No file is replaced before all are written.

    Raises:
        NotADirectoryError: `folder` is a file.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; expected a folder for the report")
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
    with ExitStack() as stack:
        parts = {folder / name: stack.enter_context(whole_path(folder / name)) for name in contents}
        for part, content in zip(parts.values(), contents.values(), strict=True):
            part.write_bytes(content)
    for path in (folder / _PLOTS).iterdir():
        if path.stem in PLOT_NAMES and path not in parts:
            path.unlink()  # of an earlier report

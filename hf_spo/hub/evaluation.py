"""Read the results of an evaluation from the files that `hf-spo evaluate` writes."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RATIOS = {"precision": "precision", "recall": "recall", "f1": "F1"}
"""Names in files and on the card."""


@dataclass(frozen=True, slots=True)
class Score:
    """Ratios and counts by one way of matching, or of one relation; `interval` is the confidence interval of F1."""

    precision: float
    recall: float
    f1: float
    correct: int
    predicted: int
    gold: int
    interval: tuple[float, float] | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Score":
        """Read the JSON form."""
        interval = data.get("intervals", {}).get("f1")
        return cls(
            float(data["precision"]),
            float(data["recall"]),
            float(data["f1"]),
            int(data["correct"]),
            int(data["predicted"]),
            int(data["gold"]),
            None if interval is None else (float(interval[0]), float(interval[1])),
        )


@dataclass(frozen=True)
class Evaluation:
    """Results of an evaluation.

    Args:
        texts: number of texts.
        data: name of the file with the texts.
        scores: by way of matching; at least one.
        relations: scores of each relation by strict matching.
        calibration_error: expected calibration error of the scores, in ten bins of equal mass.
        by: what evaluated, in Markdown.
    """

    texts: int
    data: str
    scores: Mapping[str, Score]
    relations: Mapping[str, Score]
    calibration_error: float | None
    by: str = "`hf-spo evaluate`"

    @property
    def first(self) -> Score:
        """The first way of matching: strict, if the evaluation has it."""
        return next(iter(self.scores.values()))


def read_evaluation(report: str | Path | Mapping[str, Any]) -> Evaluation:
    """Read the results of an evaluation.

    Args:
        report: the output of `hf-spo evaluate`: its `--report` folder, the report.json in it, or its `--output` file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not the output of an evaluation.
    """
    if isinstance(report, Mapping):
        return _evaluation(report, "the report")
    path = Path(report, "report.json") if Path(report).is_dir() else Path(report)
    return _evaluation(read_json_object(path), str(path))


def _evaluation(report: Mapping[str, Any], place: str) -> Evaluation:
    try:
        scores = report["measures"] if "measures" in report else report["scores"]
        groups = report.get("breakdowns", {}).get("relations", ())
        reliability = report.get("reliability")
        if not scores:
            raise ValueError("no scores")
        return Evaluation(
            int(report["texts"]),
            # Only the file's name: the card should not publish the folders of its author's machine.
            re.split(r"[/\\]", report.get("about", report)["data"])[-1],
            {name: Score.from_dict(score) for name, score in scores.items()},
            {group["name"]: Score.from_dict(group) for group in groups},
            None if reliability is None else float(reliability["equal_mass"]["ece"]),
            str(report.get("by", Evaluation.by)),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{place} is not the output of an evaluation ({error!r}); pass what hf-spo evaluate wrote with --report or "
            f"--output"
        ) from None


def read_json_object(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        OSError: there is no such file.
        ValueError: the file has other content.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error})") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path}: expected a JSON object")
    return data

"""K-fold training: one model for each part of the data, trained on all other parts (kexue.fm/archives/6671)."""

import gc
import hashlib
import json
import logging
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from transformers import AutoTokenizer
from transformers.trainer_utils import IntervalStrategy

from ..metrics import TripleScorer
from ..metrics.triple_f1 import total
from ..model.ensemble import make_extractor
from ..model.fields import json_line
from ..model.modeling_spo import SpoForTripleExtraction
from ..model.schema import Example
from ..support.files import whole_file
from ..support.unreadable import OnUnreadable
from .plan import LOG_FILE, Plan, TrainingData, write_json, writing_to
from .recipe import Recipe, RecipeError

logger = logging.getLogger(__name__)

FOLDS_FILE = "folds.json"
OUT_OF_FOLD_FILE = "out_of_fold.jsonl"
REPORT_FILE = "kfold.json"


@dataclass(frozen=True, slots=True)
class Folds:
    """Assignment of texts to folds; equal texts are in the same fold.

    Args:
        held_out: the fold of each text, by [`text_hash`].
        count: number of folds.
        seed: of the assignment.
        data: hash of the labelled texts in their order, to detect changed data.
    """

    held_out: Mapping[str, int]
    count: int
    seed: int
    data: str

    @classmethod
    def deal(cls, examples: Iterable[Example], count: int, seed: int = 42) -> "Folds":
        """Assign texts to folds whose sizes differ by at most one, independently of the order of the texts.

        Raises:
            RecipeError: there are fewer different texts than folds, or fewer than 2 folds.
        """
        texts: set[str] = set()
        data = hashlib.sha256()
        for example in examples:
            texts.add(text_hash(example.text))
            data.update(json.dumps(example.to_dict()).encode())
        if not 2 <= count <= len(texts):
            raise RecipeError(f"{count} folds: expected at least 2, and no more than the {len(texts)} different texts")
        order = sorted(texts, key=lambda text: hashlib.sha256(f"{seed} {text}".encode()).digest())
        return cls({text: index % count for index, text in enumerate(order)}, count, seed, data.hexdigest())

    @classmethod
    def from_file(cls, path: Path) -> "Folds":
        """Read a file written by `save`.

        Raises:
            ValueError: the file has other content.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            folds = {text: fold for fold, texts in enumerate(content["held_out"]) for text in texts}
            return cls(folds, len(content["held_out"]), content["seed"], content["data"])
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f"{path}: expected the folds that `hf-spo kfold` writes; use another output folder"
            ) from None

    def save(self, path: Path) -> None:
        """Write the folds as JSON."""
        texts = [[text for text, own in self.held_out.items() if own == fold] for fold in range(self.count)]
        write_json({"seed": self.seed, "data": self.data, "held_out": texts}, path)

    def of(self, text: str) -> int | None:
        """Return the fold that holds out a text; None for an unknown text."""
        return self.held_out.get(text_hash(text))


def text_hash(text: str) -> str:
    """Return the hash that identifies a text in a file of folds."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def run_folds(
    recipe: Recipe,
    count: int,
    extra: Sequence[str] = (),
    *,
    seed: int = 42,
    only: Collection[int] | None = None,
    resume: bool = False,
    on_bad_line: OnUnreadable | None = None,
) -> dict[str, Any]:
    """Train one model for each fold, on all texts outside the fold, and extract triples from the texts of the fold.

    Writes to the output folder: `folds.json`; the model of each fold in `fold-0`, …; `out_of_fold.jsonl`, the texts of
    all finished folds in the order of the data, with the triples of the model that was not trained on them;
    `kfold.json`, the strict scores of these triples. Without dev, each fold evaluates on its held-out texts, and does
    not tune thresholds. The vocabularies of characters and words come from all texts, so that all models share them.

    Args:
        recipe, extra, resume, on_bad_line: see [`run_recipe`]. With `resume`, finished folds are skipped.
        count: number of folds.
        seed: of the assignment of texts to folds.
        only: numbers of the folds to train; default: all.

    Returns:
        The content of `kfold.json`.

    Raises:
        BlockingIOError: another run writes to the folder of a fold.
        RecipeError: the recipe or an argument is wrong, or the output folder holds a run that has other data or folds,
            or that is not resumed.
    """
    recipe.check_sources()
    folder = Path(str(recipe.output))
    chosen = range(count) if only is None else sorted(set(only))
    for fold in chosen:
        if fold not in range(count):
            raise RecipeError(f"no fold {fold}: {count} folds have the numbers 0 to {count - 1}")
    plans = {fold: _plan(recipe, folder / f"fold-{fold}", extra, resume) for fold in chosen}
    data = TrainingData.read(recipe, on_bad_line)
    folds = _fixed(folder / FOLDS_FILE, Folds.deal(data.train, count, seed), str(recipe.train))
    for fold, plan in plans.items():
        # A lock for each fold, so that several runs may share the folds of one folder.
        with writing_to(folder / f"fold-{fold}"):
            _run_fold(plan, data, folds, fold)
        gc.collect()  # trainer and model refer to each other and would keep memory of the accelerator
    report = _report(folder, data.train, folds) if PartialState().is_main_process else {}
    PartialState().wait_for_everyone()
    return report


def fold_models(folder: Path) -> list[Path]:
    """Return the model folders of all folds.

    Raises:
        ValueError: the folder was not written by `hf-spo kfold`, or a fold is not finished.
    """
    if not (folder / FOLDS_FILE).exists():
        raise ValueError(f"{folder} has no {FOLDS_FILE}; expected a folder that `hf-spo kfold` wrote")
    models = [folder / f"fold-{fold}" for fold in range(Folds.from_file(folder / FOLDS_FILE).count)]
    for model in models:
        if not _is_trained(model):
            raise ValueError(
                f"the training of {model} is not finished; continue it with `hf-spo kfold … --resume`, or name the "
                f"finished models"
            )
    return models


def training_texts(model: Path) -> Callable[[str], bool] | None:
    """Return a function that tells whether the model of a fold was trained on a text; None for other models."""
    model = model.resolve()
    name, file = re.fullmatch(r"fold-(\d+)", model.name), model.parent / FOLDS_FILE
    if name is None or not file.exists():
        return None
    own, folds = int(name[1]), Folds.from_file(file)
    return lambda text: folds.of(text) not in (None, own)


def _plan(recipe: Recipe, folder: Path, extra: Sequence[str], resume: bool) -> Plan:
    if _is_trained(folder) and not resume:
        raise RecipeError(f"{folder} holds the model of an earlier run: pass --resume or a new --output")
    plan = Plan.make(recipe.override(output=str(folder)), extra, resume=resume)
    plan.check_earlier_run()
    return plan


def _is_trained(folder: Path) -> bool:
    return (folder / LOG_FILE).exists()


def _fixed(path: Path, folds: Folds, train: str) -> Folds:
    """Write the folds, or check that a file of an earlier run has the same ones."""
    if path.exists():
        before = Folds.from_file(path)
        for name, ours, theirs in (("folds", folds.count, before.count), ("seed", folds.seed, before.seed)):
            if ours != theirs:
                raise RecipeError(
                    f"{path}: this run was started with --{name} {theirs}, not {ours}; pass the same, or a new --output"
                )
        if before.data != folds.data:
            raise RecipeError(
                f"{path}: {train} has changed since this run was started; restore it, or pass a new --output"
            )
    elif PartialState().is_main_process:
        path.parent.mkdir(parents=True, exist_ok=True)
        folds.save(path)
    return folds


def _run_fold(plan: Plan, data: TrainingData, folds: Folds, fold: int) -> None:
    folder = Path(str(plan.recipe.output))
    held_out = [example for example in data.train if folds.of(example.text) == fold]
    if _is_trained(folder):
        logger.info("fold %d is trained", fold)
    else:
        logger.info("fold %d: training, %d of %d texts held out", fold, len(held_out), len(data.train))
        dev = data.dev
        if dev is None and plan.evaluation != IntervalStrategy.NO:
            dev = held_out
            for _, arguments in plan.stages:
                arguments.tune_thresholds = False  # the triples of these texts must not depend on their labels
        seen = [example for example in data.train if folds.of(example.text) != fold]
        plan.train(replace(data, train=seen, dev=dev))
    if PartialState().is_main_process and not (folder / OUT_OF_FOLD_FILE).exists():
        logger.info("fold %d: extracting from the %d texts that it holds out", fold, len(held_out))
        _extract(plan, held_out, fold, folder)
    PartialState().wait_for_everyone()


def _extract(plan: Plan, examples: Sequence[Example], fold: int, folder: Path) -> None:
    """Write the triples that the model of a fold finds, at the precision of its evaluation."""
    _, arguments = plan.stages[-1]
    model = SpoForTripleExtraction.from_pretrained(folder, dtype=torch.float32)
    model.to(arguments.device).eval()
    extractor = make_extractor(model, AutoTokenizer.from_pretrained(folder))
    half = torch.bfloat16 if arguments.bf16 else torch.float16 if arguments.fp16 else None
    part = folder / f".{OUT_OF_FOLD_FILE}.part"  # a fixed name, so that the file of a killed run is overwritten
    with (
        part.open("w", encoding="utf-8", newline="\n") as file,
        torch.autocast(arguments.device.type, dtype=half, enabled=half is not None),
    ):
        found = extractor((example.text for example in examples), arguments.eval_batch_size)
        for example, triples in zip(examples, found, strict=True):
            file.write(json_line({**Example(example.text, tuple(triples)).to_dict(), "fold": fold}) + "\n")
    part.replace(folder / OUT_OF_FOLD_FILE)


def _report(folder: Path, examples: Sequence[Example], folds: Folds) -> dict[str, Any]:
    """Combine and score the triples of the finished folds."""
    parts = {fold: folder / f"fold-{fold}" / OUT_OF_FOLD_FILE for fold in range(folds.count)}
    with ExitStack() as stack:
        lines = {
            fold: stack.enter_context(path.open(encoding="utf-8", newline="\n"))
            for fold, path in parts.items()
            if path.exists()
        }
        scorers = {fold: TripleScorer() for fold in lines}
        texts = dict.fromkeys(lines, 0)
        with whole_file(folder / OUT_OF_FOLD_FILE) as file:
            for example in examples:
                fold = folds.held_out[text_hash(example.text)]
                if fold in lines:
                    line = next(lines[fold])
                    file.write(line)
                    predicted = Example.from_dict(json.loads(line)).triples
                    scorers[fold].add(example.judged(predicted), example.triples)
                    texts[fold] += 1
    scores = {fold: scorer.score() for fold, scorer in scorers.items()}
    report = {
        "folds": folds.count,
        "finished": [{"fold": fold, "texts": texts[fold], **score.to_dict()} for fold, score in scores.items()],
        "overall": {"texts": sum(texts.values()), **total(scores.values()).to_dict()},
    }
    write_json(report, folder / REPORT_FILE)
    return report

"""Write the card of a model: the README of its repository."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from statistics import median
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # not named as exported
from jinja2 import Environment, StrictUndefined

from ..metrics import Match
from ..model.configuration_decoding import DecodingConfig
from ..model.configuration_spo import SpoConfig
from ..model.schema import VALUE_SLOT, Example
from ..model.versions import package_version
from ..support.safe_text import one_line, printable
from .evaluation import RATIOS, Evaluation, read_evaluation
from .saved_model import SavedModel

TASK = "token-classification"
"""The task of the Hub that comes nearest to triple extraction."""

_TEMPLATE = "card.md.jinja"
_TAGS = ["information-extraction", "relation-extraction", "triple-extraction", "knowledge-graph"]
_MEANING = {
    "strict": "strict: subject, predicate, object",
    "lenient": "lenient: the same after tokenisation",
    "span": "span: the same, at the same place",
    "full": "full: with types and qualifiers",
    "official": "official: the measure of DuIE 2.0",
}
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_HUB_LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]*")


def model_card(
    folder: str | Path,
    repo: str,
    *,
    report: str | Path | Mapping[str, Any] | None = None,
    data: str | None = None,
    licence: str | None = None,
    base_model: str | None = None,
    language: Sequence[str] = (),
    examples: Sequence[Example] = (),
    recipe: str | None = None,
    onnx: bool = False,
    standalone: bool = False,
    address: str | None = None,
) -> ModelCard:
    """Write the card of a model. It says which of the optional information is missing.

    Args:
        folder: of the model or ensemble.
        repo: name of the repository.
        report: the output of `hf-spo evaluate`: its `--report` folder, the report.json in it, or its `--output` file.
        data: training data, described in words or by its name on the Hub.
        licence: of the weights, by its identifier on the Hub or in words.
        base_model: the model that training started from, by its name on the Hub.
        language: codes of the texts' languages (zh, en).
        examples: texts for the model's page, with the triples that the model finds in them.
        recipe: the training recipe's text.
        onnx: whether the repository has an ONNX export.
        standalone: whether the repository has the code that runs the model without hf_spo.
        address: of a wheel or repository to install hf_spo from; default: the package index.

    Raises:
        FileNotFoundError: there is no model or no report at the given path.
        ValueError: the model or the report is damaged, or the Hub does not allow a name.
    """
    for hub_name in (repo, base_model):
        validate_repo_id(hub_name)
    saved = SavedModel.read(folder)
    evaluation = None if report is None else read_evaluation(report)
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters |= {"md": markdown, "json": _literal, "shell": lambda text: shlex.quote(one_line(text))}
    template = environment.from_string(Path(__file__).with_name(_TEMPLATE).read_text(encoding="utf-8"))
    text = template.render(
        repo=repo,
        name=repo.split("/")[-1],
        **_about_the_model(saved),
        evaluation=evaluation,
        matches=[match.value for match in Match if evaluation and match.value in evaluation.scores],
        meaning=_MEANING,
        data=data,
        data_on_hub=_on_hub(data),
        licence=licence,
        base_model=base_model,
        examples=examples,
        recipe=recipe and printable(recipe).strip(),
        fence="`" * max([3, *(len(run) + 1 for run in re.findall("`+", recipe or ""))]),
        onnx=onnx,
        standalone=standalone,
        address=address,
        version=package_version(),
    )
    header = _header(repo, data, licence, base_model, language, [example.text for example in examples], evaluation)
    return ModelCard(f"---\n{header.to_yaml()}\n---\n\n{text}")


def _about_the_model(saved: SavedModel) -> dict[str, Any]:
    schema, decoding, config = saved.schema, saved.decoding, saved.config
    return {
        "max_length": config.get("max_length", DecodingConfig.max_length),
        "window": config.get("window"),
        "groups": config.get("groups") or [],
        "combination": config.get("combination"),
        "written_by": config.get("hf_spo_version") or "of an unknown version",
        "conditioning": saved.member_configs[0].get("conditioning", SpoConfig.conditioning),
        "gates": bool(saved.member_configs[0].get("global_gates")),
        "saved": saved,
        "schema": schema,
        "predicates": len(schema.predicates),
        "qualifiers": any(relation.slot != VALUE_SLOT for relation in schema),
        "ruled": sum(bool(relation.rules) for relation in schema),
        "decoding": decoding,
        "score_threshold": median(decoding.score_thresholds or [0.0]),
        "VALUE_SLOT": VALUE_SLOT,
    }


def _header(
    repo: str,
    data: str | None,
    licence: str | None,
    base_model: str | None,
    language: Sequence[str],
    texts: Sequence[str],
    evaluation: Evaluation | None,
) -> ModelCardData:
    known = licence is None or _HUB_LICENCE.fullmatch(licence)
    return ModelCardData(
        language=list(map(one_line, language)) or None,
        license=licence if known else "other",
        license_name=None if known else one_line(str(licence)),
        library_name="hf-spo",
        pipeline_tag=TASK,
        tags=_TAGS,
        base_model=base_model,
        datasets=[data] if data and _on_hub(data) else None,
        metrics=list(RATIOS) if evaluation else None,
        widget=[{"text": one_line(text)} for text in texts] or None,
        model_name=repo.split("/")[-1] if evaluation else None,
        eval_results=_results(evaluation) if evaluation else None,
    )


def _results(evaluation: Evaluation) -> list[EvalResult]:
    # The Hub needs a name and an identifier of the data set, even if it has no repository.
    name = one_line(evaluation.data)
    return [
        EvalResult(
            task_type=TASK,
            task_name="Triple extraction",
            dataset_name=name,
            dataset_type="-".join(re.findall(r"\w+", name.lower())) or "data",
            dataset_args={"texts": evaluation.texts},
            metric_type=ratio,
            metric_name=f"{title} ({one_line(match)})",
            metric_value=round(getattr(score, ratio), 4),
        )
        for match, score in evaluation.scores.items()
        for ratio, title in RATIOS.items()
    ]


def _on_hub(data: str | None) -> bool:
    """Tell whether a description of the data is a data set's name on the Hub."""
    return data is not None and _HUB_NAME.fullmatch(data) is not None


def markdown(value: object) -> str:
    """Escape a string for Markdown, also in a table's cell: no markup, no HTML, no line breaks."""
    text = escape(one_line(str(value)), quote=False).replace("|", "&#124;")
    return re.sub(r"([\\`*_\[\]~$])", r"\\\1", text)


def _literal(text: str) -> str:
    """Return a string as Python source code."""
    return json.dumps(one_line(text), ensure_ascii=False)

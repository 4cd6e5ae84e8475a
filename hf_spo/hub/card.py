"""The card of a model."""

import re
import shlex
from collections.abc import Mapping, Sequence
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
from .facts import ModelFacts
from .figures import RATIOS, Figures, read_figures
from .markup import literal, markdown

TASK = "token-classification"
"""What the Hub files the models under: of its tasks the nearest."""

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
) -> ModelCard:
    """Write the card of a model; what is not given it says is not given.

    Args:
        folder: of the model or ensemble.
        repo: name of the repository that the card is for.
        report: what `hf-spo evaluate` wrote with `--report` (the folder, or its report.json) or `--output`.
        data: what the model was trained on, in words, or its name on the Hub.
        licence: of the weights, as the Hub names it or in words.
        base_model: what training started from, by its name on the Hub.
        language: of the texts, as codes (zh, en).
        examples: texts for the Hub's page, with the triples that the model finds in them.
        recipe: the training recipe's text.
        onnx: the repository has an ONNX export.
        standalone: the repository has the code that runs the model without hf_spo.

    Raises:
        FileNotFoundError: there is no model, or no report.
        ValueError: one of them is none, or damaged; or a name is none that the Hub allows.
    """
    for hub_name in (repo, base_model):
        validate_repo_id(hub_name)
    facts = ModelFacts.read(folder)
    figures = None if report is None else read_figures(report)
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters |= {"md": markdown, "json": literal, "shell": lambda text: shlex.quote(one_line(text))}
    template = environment.from_string(Path(__file__).with_name(_TEMPLATE).read_text(encoding="utf-8"))
    text = template.render(
        repo=repo,
        name=repo.split("/")[-1],
        **_about_the_model(facts),
        figures=figures,
        matches=[match.value for match in Match if figures and match.value in figures.scores],
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
        version=package_version(),
    )
    header = _header(repo, data, licence, base_model, language, [example.text for example in examples], figures)
    return ModelCard(f"---\n{header.to_yaml()}\n---\n\n{text}")


def _about_the_model(facts: ModelFacts) -> dict[str, Any]:
    schema, decoding, config = facts.schema, facts.decoding, facts.config
    return {
        "max_length": config.get("max_length", DecodingConfig.max_length),
        "window": config.get("window"),
        "groups": config.get("groups") or [],
        "combination": config.get("combination"),
        "written_by": config.get("hf_spo_version") or "of an unknown version",
        "conditioning": facts.members[0].get("conditioning", SpoConfig.conditioning),
        "gates": bool(facts.members[0].get("global_gates")),
        "facts": facts,
        "schema": schema,
        "predicates": len({relation.predicate for relation in schema}),
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
    figures: Figures | None,
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
        metrics=list(RATIOS) if figures else None,
        widget=[{"text": one_line(text)} for text in texts] or None,
        model_name=repo.split("/")[-1] if figures else None,
        eval_results=_results(figures) if figures else None,
    )


def _results(figures: Figures) -> list[EvalResult]:
    # The Hub wants a name and an identifier of the data set, of which there need be no repository.
    name = one_line(figures.data)
    return [
        EvalResult(
            task_type=TASK,
            task_name="Triple extraction",
            dataset_name=name,
            dataset_type="-".join(re.findall(r"\w+", name.lower())) or "data",
            dataset_args={"texts": figures.texts},
            metric_type=ratio,
            metric_name=f"{title} ({one_line(match)})",
            metric_value=round(getattr(score, ratio), 4),
        )
        for match, score in figures.scores.items()
        for ratio, title in RATIOS.items()
    ]


def _on_hub(data: str | None) -> bool:
    """Tell whether this can be the name of a data set on the Hub rather than a description."""
    return data is not None and _HUB_NAME.fullmatch(data) is not None

"""Page of the metric: precision, recall and F1 of predicted against labelled triples."""

import json
from pathlib import Path
from typing import Any

import gradio as gr
from huggingface_hub import SpaceCard

from hf_spo import Triple
from hf_spo.metrics import Match, TripleScorer

GOLD = [
    [
        {"subject": {"text": "远山的灯"}, "predicate": "导演", "object": {"text": "林小川"}},
        {"subject": {"text": "远山的灯"}, "predicate": "主演", "object": {"text": "周一鸣"}},
    ]
]


def compute(predictions: str, references: str, match: str) -> dict[str, Any]:
    """Score triples given as JSON: a list of lists, one for each text."""
    # Not with evaluate, whose metrics keep added triples after an error, so that they would reach the next visitor.
    scorer = TripleScorer(Match(match))
    try:
        for predicted, gold in zip(json.loads(predictions), json.loads(references), strict=True):
            scorer.add(map(Triple.from_dict, predicted), map(Triple.from_dict, gold))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise gr.Error(f"{type(error).__name__}: {error}; expected lists like those of the example") from None
    return dict(scorer.score().to_dict())


def _box(label: str, value: Any) -> gr.Code:
    return gr.Code(json.dumps(value, ensure_ascii=False, indent=1), language="json", label=label)


demo = gr.Interface(
    compute,
    [
        _box("predictions", [GOLD[0][:1]]),
        _box("references", GOLD),
        # "lenient" needs a tokenizer.
        gr.Radio(["strict", "span", "full"], value="strict", label="match"),
    ],
    gr.JSON(label="scores"),
    title="Triple F1",
    article=SpaceCard.load(Path(__file__).with_name("README.md")).text,
    api_name="compute",
    flagging_mode="never",
)

if __name__ == "__main__":
    demo.launch()

"""Ablation of the training signals: the recipe with one of them at a time, on a small fixed budget.

    python signals.py --encoder DIR --train FILE --dev FILE --schema FILE --output DIR [--adapted DIR] [--seeds 42 43]

The signals are off by default (see SpoTrainingArguments). R-Drop needs dropout, which this recipe does not use, so
compare it with dropout alone. --adapted names the encoder that adapt_encoder.py wrote. All other arguments are those of
ablation.py.
"""

from pathlib import Path

from ablation import Variant, ablate, argument_parser

DROPOUT = {"encoder_config": {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}}
VARIANTS: dict[str, Variant] = {
    "as in the recipe": {},
    "missing labels: threshold 0.7": {"training": {"missing_label_threshold": 0.7}},
    "subjects a text and step: 4 instead of 2": {"training": {"subjects_per_example": 4}},
    "dropout: 0.1": {"model": DROPOUT},
    "dropout: 0.1, R-Drop: alpha 0.5": {"model": DROPOUT, "training": {"r_drop_alpha": 0.5}},
    "entity swaps: 0.2": {"training": {"entity_swap_probability": 0.2}},
    "prior": {"model": {"prior": True}},
    "subjects a text and step: 1 instead of 2": {"training": {"subjects_per_example": 1}},
}


def main() -> None:
    """Read the arguments and run every variant."""
    parser = argument_parser(__doc__)
    parser.add_argument("--adapted", type=Path, help="output folder of adapt_encoder.py")
    options = parser.parse_args()
    adapted: dict[str, Variant] = {"adapted encoder": {"encoder": options.adapted}} if options.adapted else {}
    ablate({**VARIANTS, **adapted}, options)


if __name__ == "__main__":
    main()

"""Average the weights of models of one shape: a model soup (Wortsman et al. 2022, arXiv:2203.05482).

    python average_weights.py MODEL MODEL… OUTPUT

If one model was trained further from another, their mean is often better than both. Config and tokenizer are those of
the first model. Unlike an ensemble (`hf-spo ensemble`), the result is a single model and costs no more to run.
"""

import argparse
from pathlib import Path

import torch
from transformers import AutoTokenizer

from hf_spo import SpoForTripleExtraction


def main() -> None:
    """Read the arguments, average, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL")
    parser.add_argument("output", type=Path, metavar="OUTPUT")
    options = parser.parse_args()
    first, *others = (SpoForTripleExtraction.from_pretrained(path, dtype=torch.float32) for path in options.models)
    states = [model.state_dict() for model in (first, *others)]
    mean = {}
    for name, weight in states[0].items():
        same = [state[name] for state in states]
        mean[name] = torch.stack(same).mean(0) if weight.is_floating_point() else weight
    first.load_state_dict(mean)
    first.save_pretrained(options.output)
    AutoTokenizer.from_pretrained(options.models[0]).save_pretrained(options.output)


if __name__ == "__main__":
    main()

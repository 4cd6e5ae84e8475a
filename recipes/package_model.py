"""Write a trained model for the package: weights in float16 on disk, loaded in float32.

    python package_model.py TRAINED OUT

float16 halves the file. The config asks for float32, since most processors compute slowly in float16.
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from hf_spo import SpoForTripleExtraction


def main() -> None:
    """Read the arguments, write the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trained", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    model = SpoForTripleExtraction.from_pretrained(options.trained, dtype=torch.float32)
    model.save_pretrained(options.out)
    AutoTokenizer.from_pretrained(options.trained).save_pretrained(options.out)
    weights = options.out / "model.safetensors"
    save_file({name: tensor.half() for name, tensor in load_file(weights).items()}, weights, metadata={"format": "pt"})
    size = sum(path.stat().st_size for path in options.out.iterdir() if path.is_file())
    print(f"{options.out}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()

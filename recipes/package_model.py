"""Write a trained model as it ships: float16 on disk, float32 in memory.

    python package_model.py TRAINED OUT

float16 halves the file; processors without float16 arithmetic would crawl on it, so the config asks loaders for
float32.
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

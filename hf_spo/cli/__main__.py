"""python -m hf_spo.cli, which torchrun needs."""

from . import app

if __name__ == "__main__":
    app(prog_name="hf-spo")

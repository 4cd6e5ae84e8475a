"""python -m hf_spo.cli, for example with torchrun -m."""

from . import app

if __name__ == "__main__":
    app(prog_name="hf-spo")

"""python -m hf_spo."""

from .cli import app

if __name__ == "__main__":
    app(prog_name="hf-spo")

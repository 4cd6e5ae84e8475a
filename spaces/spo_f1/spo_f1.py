"""The metric for `evaluate.load("OWNER/spo_f1")`; hf-spo, which requirements.txt installs, holds the code."""

from hf_spo.metrics.spo_f1.spo_f1 import SpoF1

__all__ = ["SpoF1"]

"""Publish a model on the Hugging Face Hub: its repository, its card and the upload."""

from .card import model_card
from .evaluation import read_evaluation
from .saved_model import SavedModel

__all__ = ["SavedModel", "model_card", "read_evaluation"]

"""Model cards: what a model's folder, an evaluation and its maker say of it, as the README of a repository."""

from .card import model_card
from .facts import ModelFacts
from .figures import read_figures

__all__ = ["ModelFacts", "model_card", "read_figures"]

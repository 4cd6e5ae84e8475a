"""Training signals: losses beyond the model's own, and losses of partial labels."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from ..model.layers import cross_entropy, powered_log_probabilities
from ..model.modeling_spo import Sentences, SpoForTripleExtraction, SpoOutput, masked_mean
from .arguments import SpoTrainingArguments

ENCODER_INPUTS = ("input_ids", "attention_mask", "token_type_ids", "word_ids", "prior")


class _Pointers(NamedTuple):
    """log P and log(1 − P) of every border, (B, L, 2) or (N, L, R, 2), and the mask of its tokens, (B, L) or (N, L)."""

    log_p: torch.Tensor
    log_rest: torch.Tensor
    mask: torch.Tensor


@dataclass(frozen=True, slots=True)
class SignalObjective:
    """The model's own losses with further signals. With the defaults and complete labels, the losses are the model's.

    Partial labels: an unlabelled border of probability p counts −log(1 − c·p), where c is the probability that it would
    be labelled if it were true: 1 for relations whose labels are complete, 0 for others; for subjects, see
    [`PartialLabels`]. This is the likelihood of what the annotators left, and a border that the model is sure of is
    hardly held against it: the gradient goes to 0 as p goes to 1.

    Args:
        missing_label_threshold: the loss of an unlabelled border is 0 where the model's probability exceeds this, since
            the label may be missing. The mean still divides by all tokens. Sampling few negatives has a similar effect,
            see Li et al. 2021, arXiv:2012.05426.
        r_drop_alpha: weight of the divergence between two passes with different dropout (Liang et al. 2021,
            arXiv:2106.14448). It compares the final probabilities P = p^n · gates of all borders of subjects and
            objects, and averages them as the losses. Losses are the mean of both passes; the paper has the sum, so its
            alpha/2·(KL + KL) is alpha/4·(KL + KL) here.
    """

    missing_label_threshold: float = 1.0
    r_drop_alpha: float = 0.0

    @classmethod
    def from_arguments(
        cls, arguments: SpoTrainingArguments, *, partial_labels: bool = False
    ) -> "SignalObjective | None":
        """Return what arguments and training data ask for; None where the model's own losses suffice."""
        objective = cls(arguments.missing_label_threshold, arguments.r_drop_alpha)
        return objective if partial_labels or objective != cls() else None

    def check(self, model: nn.Module) -> None:
        """Check that a model allows the signals.

        Raises:
            ValueError: R-Drop is on and the model has no dropout, so that two passes are equal.
        """
        if self.r_drop_alpha > 0 and not _has_dropout(model):
            raise ValueError(
                f"r_drop_alpha={self.r_drop_alpha} compares passes with different dropout, but the model has none; "
                f"give its encoder some (encoder_config: {{hidden_dropout_prob: 0.1}}), or leave R-Drop off"
            )

    def __call__(
        self, model: SpoForTripleExtraction, sentences: Sentences, *, batch: Mapping[str, torch.Tensor]
    ) -> SpoOutput:
        """Compute the losses of a batch of the collator for encoded sentences."""
        rows, spans = batch["subject_rows"], batch["subject_spans"]
        subjects = [_subjects(model, sentences)]
        objects = [_objects(model, sentences, rows, spans)]
        if self.r_drop_alpha > 0:
            again = model.encode(**{name: batch[name] for name in ENCODER_INPUTS if name in batch})
            subjects.append(_subjects(model, again))
            objects.append(_objects(model, again, rows, spans))
        complete_subjects = complete_relations = None
        if "complete_subjects" in batch:
            complete_subjects = batch["complete_subjects"][:, None, None]
            complete_relations = batch["complete_relations"][rows][:, None, :, None]
        subject_loss = self._loss(subjects, batch["subject_labels"], complete_subjects)
        object_loss = self._loss(objects, batch["object_labels"], complete_relations)
        loss = subject_loss + object_loss
        if self.r_drop_alpha > 0:
            loss = loss + self.r_drop_alpha / 4 * (_divergence(*subjects) + _divergence(*objects))
        return SpoOutput(loss, subject_loss, object_loss)

    def _loss(
        self, passes: list[_Pointers], labels: torch.Tensor, complete: torch.Tensor | None = None
    ) -> torch.Tensor:
        losses = []
        for pointers in passes:
            log_rest = pointers.log_rest
            if complete is not None:
                # The probability that a border is not labelled: 1 − complete · p, of which 1 − p is a special case.
                unlabelled = torch.logaddexp(torch.log1p(-complete), torch.log(complete) + log_rest)
                log_rest = torch.where(labels == 0, unlabelled, log_rest)
            values = cross_entropy(pointers.log_p, log_rest, labels)
            if self.missing_label_threshold < 1:
                unknown = (labels == 0) & (pointers.log_rest < math.log1p(-self.missing_label_threshold))
                values = values.masked_fill(unknown, 0)
            losses.append(_mean(values, pointers.mask))
        return sum(losses[1:], losses[0]) / len(losses)


def _subjects(model: SpoForTripleExtraction, sentences: Sentences) -> _Pointers:
    logits, gates = model.subject_logits(sentences)
    pointers = powered_log_probabilities(logits, model.config.subject_power, gates)
    return _Pointers(*pointers, sentences.mask.to(torch.float32))


def _objects(model: SpoForTripleExtraction, sentences: Sentences, rows: torch.Tensor, spans: torch.Tensor) -> _Pointers:
    logits, gates = model.object_logits(sentences, rows, spans)
    pointers = powered_log_probabilities(logits, model.config.object_power, gates)
    return _Pointers(*pointers, sentences.mask[rows].to(torch.float32))


def _divergence(one: _Pointers, other: _Pointers) -> torch.Tensor:
    """Return KL(P‖Q) + KL(Q‖P), which of two probabilities is (P − Q)·(logit P − logit Q)."""
    logits = one.log_p - one.log_rest, other.log_p - other.log_rest
    return _mean((one.log_p.exp() - other.log_p.exp()) * (logits[0] - logits[1]), one.mask)


def _mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Average over tokens and over start and end, and add up relations, as the model's own losses do."""
    return masked_mean(values.mean(-1).reshape(*mask.shape, -1).sum(-1), mask)


def _has_dropout(model: nn.Module) -> bool:
    rates = (getattr(module, name, 0) for module in model.modules() for name in _DROPOUT_RATES)
    return any(isinstance(rate, int | float) and rate > 0 for rate in rates)


# Attributes that hold dropout rates: of torch.nn.Dropout, of attention functions, of gated convolutions.
_DROPOUT_RATES = ("p", "attention_dropout", "gate_dropout_prob")

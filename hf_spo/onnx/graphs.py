"""Write the two passes of a model as ONNX graphs: from sentences to subjects, and from subjects to objects."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..model.conditioning import SubjectVector
from ..model.layers import gated_probabilities
from ..model.modeling_spo import Sentences, SpoForTripleExtraction
from .folder import ENCODER_FILE, OBJECTS_FILE
from .quiet import quiet

# Supported by onnxruntime since 1.17.
OPSET = 20

# A protocol buffer file is limited to 2 GB: larger weights go into a separate file.
_LARGEST = 1_900_000_000

_AXES = {
    "input_ids": ("batch", "tokens"),
    "attention_mask": ("batch", "tokens"),
    "word_ids": ("batch", "tokens"),
    "prior": ("candidates",),
    "conditioned": ("batch", "tokens"),
    "object_context": ("batch", "tokens"),
    "entity_gates": ("batch", "tokens"),
    "relation_gates": ("batch",),
    "rows": ("subjects",),
    "spans": ("subjects",),
}


class SubjectPass(nn.Module):
    """Sentences → subject probabilities, and the parts of the encoded sentences that the second pass needs."""

    def __init__(self, model: SpoForTripleExtraction) -> None:
        super().__init__()
        self.model = model
        self.kept = [
            "conditioned",
            *(["object_context"] if model.object_context is not None else []),
            *(["entity_gates", "relation_gates"] if model.gates is not None else []),
        ]

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        word_ids: torch.Tensor | None = None,
        prior: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, ...]:
        """Encode. *Shape:* as in [`SpoForTripleExtraction.forward`] → (B, L, 2) and the tensors named in `kept`."""
        sentences = self.model.encode(input_ids, attention_mask, word_ids=word_ids, prior=prior)
        logits, gates = self.model.subject_logits(sentences)
        probs = gated_probabilities(logits, self.model.config.subject_power, gates)
        return (probs, *(getattr(sentences, name) for name in self.kept))


class ObjectPass(nn.Module):
    """Subjects → object probabilities."""

    def __init__(self, model: SpoForTripleExtraction) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        conditioned: torch.Tensor,
        rows: torch.Tensor,
        spans: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        prior: torch.Tensor | None = None,
        object_context: torch.Tensor | None = None,
        entity_gates: torch.Tensor | None = None,
        relation_gates: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Point at objects. *Shape:* rows (N,), spans (N, 2), the rest as in [`Sentences`] → (N, L, R, 2)."""
        if prior is not None:
            # A candidate of no sentence, because onnxruntime cannot broadcast an empty array.
            prior = torch.cat([prior, torch.tensor([[-1, 0, 0, 0, 0, 0]])])
        mask = conditioned[..., 0] if attention_mask is None else attention_mask
        sentences = Sentences(conditioned, conditioned, mask, prior, object_context, entity_gates, relation_gates)
        logits, gates = self.model.object_logits(sentences, rows, spans)
        return gated_probabilities(logits, self.model.config.object_power, gates)


class SteppedNetwork(nn.Module):
    """A bidirectional network of one layer, written out step by step.

    The exporter does not support recurrent networks with a variable number of sequences. Here all sequences are equally
    long.
    """

    def __init__(self, network: nn.GRU | nn.LSTM) -> None:
        super().__init__()
        self.forwards = _cell(network, "")
        self.backwards = _cell(network, "_reverse")

    def forward(self, tokens: torch.Tensor) -> tuple[None, torch.Tensor]:
        """Return nothing and both last states. *Shape:* (N, steps, H) → (2, N, H)."""
        steps = tokens.unbind(1)
        return None, torch.stack([_last(self.forwards, steps), _last(self.backwards, steps[::-1])])


def _cell(network: nn.GRU | nn.LSTM, way: str) -> nn.GRUCell | nn.LSTMCell:
    kind = nn.GRUCell if isinstance(network, nn.GRU) else nn.LSTMCell
    cell = kind(network.input_size, network.hidden_size)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    cell.load_state_dict({name: getattr(network, f"{name}_l0{way}") for name in names})
    return cell


def _last(cell: nn.GRUCell | nn.LSTMCell, steps: tuple[torch.Tensor, ...]) -> torch.Tensor:
    state: Any = None
    for step in steps:
        state = cell(step, state)
    hidden: torch.Tensor = state[0] if isinstance(state, tuple) else state
    return hidden


def plain(model: SpoForTripleExtraction) -> SpoForTripleExtraction:
    """Return a copy of a model that computes as the graphs do: in float32, on the CPU, with eager attention."""
    # The features are not copied, since they are only read.
    same: SpoForTripleExtraction = copy.deepcopy(model, {id(model.features): model.features})
    same.float().cpu().eval()  # type: ignore[no-untyped-call]  # unannotated there
    same.set_attn_implementation("eager")
    return same


def write_graphs(model: SpoForTripleExtraction, folder: Path) -> None:
    """Write both graphs of a model as [`plain`] returns it."""
    traced = copy.deepcopy(model, {id(model.features): model.features})
    for module in traced.modules():
        if isinstance(module, SubjectVector) and isinstance(module.network, nn.GRU | nn.LSTM):
            module.network = SteppedNetwork(module.network)
    subjects, inputs = SubjectPass(traced), _sample(traced)
    with torch.no_grad():
        state = dict(zip(subjects.kept, subjects(**inputs)[1:], strict=True))
    _write(subjects, inputs, ["subject_probs", *subjects.kept], folder / ENCODER_FILE)
    if traced.object_convolution is not None:
        state["attention_mask"] = inputs["attention_mask"]
    if traced.config.prior:
        state["prior"] = inputs["prior"]
    state["rows"], state["spans"] = torch.tensor([0, 1, 1]), torch.tensor([[1, 2], [0, 0], [3, 6]])
    _write(ObjectPass(traced), state, ["object_probs"], folder / OBJECTS_FILE)


def _sample(model: SpoForTripleExtraction) -> dict[str, torch.Tensor]:
    """Return inputs to trace with; no axis has length 1, which would be taken for a constant."""
    mask = torch.ones(2, 7, dtype=torch.long)
    mask[1, 5:] = 0
    inputs = {"input_ids": torch.arange(14).reshape(2, 7), "attention_mask": mask}
    if model.takes_words:
        inputs["word_ids"] = torch.zeros(2, 7, dtype=torch.long)
    if model.config.prior:
        inputs["prior"] = torch.tensor([[0, 1, 2, 3, 3, 0], [1, 0, 0, 1, 2, 0]])
    return inputs


def _write(module: nn.Module, inputs: Mapping[str, torch.Tensor], outputs: list[str], path: Path) -> None:
    size = sum(tensor.nbytes for tensor in module.state_dict().values())
    with quiet():
        torch.onnx.export(
            module.eval(),
            (),
            path,
            kwargs=dict(inputs),
            dynamic_shapes={name: dict(enumerate(_AXES[name])) for name in inputs},
            input_names=list(inputs),
            output_names=outputs,
            opset_version=OPSET,
            dynamo=True,
            external_data=size > _LARGEST,
            verbose=False,
        )

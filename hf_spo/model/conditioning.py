"""Conditionings: how a subject conditions the states in which its objects are sought.

A new one is a class here, a line in [`CONDITIONINGS`] and a name in [`Conditioning`].
"""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn
from transformers import initialization as init

from .configuration_spo import Conditioning, SpoConfig


class SubjectConditioning(nn.Module):
    """Base class of conditionings.

    With `inserts`, the result is added to what the object pointers read of a sentence whatever the subject; without, it
    replaces the states of the sentence.
    """

    inserts: ClassVar[bool] = False

    def forward(
        self,
        hidden: Tensor,
        rows: Tensor,
        spans: Tensor,
        positions: Tensor | None = None,
        tokens: Tensor | None = None,
    ) -> Tensor:
        """Condition sentence `rows[n]` on the subject at tokens `spans[n]`, at all tokens or at `tokens[n]`.

        *Shape:* hidden (B, L, H), rows (N,), spans (N, 2), positions (P, any), a table of position vectors that an
        inserting conditioning gets, tokens (N, K) → (N, L, H) or (N, K, H).
        """
        raise NotImplementedError

    def initialize(self) -> None:
        """Initialise the parameters that are not those of a submodule; by default there are none."""


def pick(states: Tensor, rows: Tensor, tokens: Tensor | None = None) -> Tensor:
    """Return sentences `rows`, or some tokens of each. *Shape:* (B, L, …), (N,), (N, K) → (N, L, …) or (N, K, …)."""
    return states[rows] if tokens is None else states[rows.unsqueeze(1), tokens]


def border_states(hidden: Tensor, rows: Tensor, spans: Tensor) -> Tensor:
    """Return the states of each subject's first and last token, side by side. *Shape:* (B, L, H) → (N, 2·H)."""
    return torch.cat([hidden[rows, spans[:, 0]], hidden[rows, spans[:, 1]]], dim=-1)


class ConditionalLayerNorm(SubjectConditioning):
    """Normalise tokens, with a scale and a shift that depend on the subject's border states.

    Their projections start at zero, so that a fresh layer is a plain LayerNorm
    (kexue.fm/archives/7124, used for subjects in kexue.fm/archives/7161).
    """

    def __init__(self, hidden_size: int, eps: float = 1e-12) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.empty(hidden_size))
        self.bias = nn.Parameter(torch.empty(hidden_size))
        self.gamma_dense = nn.Linear(2 * hidden_size, hidden_size, bias=False)
        self.beta_dense = nn.Linear(2 * hidden_size, hidden_size, bias=False)
        self.initialize()

    @torch.no_grad()
    def initialize(self) -> None:
        """Initialise as a plain LayerNorm."""
        init.ones_(self.weight)
        for parameter in (self.bias, self.gamma_dense.weight, self.beta_dense.weight):
            init.zeros_(parameter)

    def forward(
        self,
        hidden: Tensor,
        rows: Tensor,
        spans: Tensor,
        positions: Tensor | None = None,
        tokens: Tensor | None = None,
    ) -> Tensor:
        """Condition; each sentence is normalised once, however many subjects it has."""
        condition = border_states(hidden, rows, spans)
        normal = pick(nn.functional.layer_norm(hidden, hidden.shape[-1:], eps=self.eps), rows, tokens)
        scale = self.weight + self.gamma_dense(condition)
        shift = self.bias + self.beta_dense(condition)
        return torch.addcmul(shift.unsqueeze(1), normal, scale.unsqueeze(1))


class ConditionAddition(SubjectConditioning):
    """Add a projection of the subject's border states to every token, then normalise: the plain way, as in CasRel."""

    def __init__(self, hidden_size: int, eps: float = 1e-12) -> None:
        super().__init__()
        self.dense = nn.Linear(2 * hidden_size, hidden_size)
        self.norm = nn.LayerNorm(hidden_size, eps=eps)

    def forward(
        self,
        hidden: Tensor,
        rows: Tensor,
        spans: Tensor,
        positions: Tensor | None = None,
        tokens: Tensor | None = None,
    ) -> Tensor:
        """Condition."""
        condition = self.dense(border_states(hidden, rows, spans)).unsqueeze(1)
        added: Tensor = self.norm(pick(hidden, rows, tokens) + condition)
        return added


class SubjectVector(nn.Module):
    """One vector for each subject, from the states of its tokens.

    With a cell ("gru" or "lstm"), `positions` tokens from the subject's first to its last are read by a bidirectional
    network (kexue.fm/archives/6671); without, its first and last state are put side by side.
    """

    def __init__(self, hidden_size: int, cell: str | None, positions: int) -> None:
        super().__init__()
        self.positions = positions
        self.network: nn.Module | None = None
        if cell is not None:
            network = {"gru": nn.GRU, "lstm": nn.LSTM}[cell]
            self.network = network(hidden_size, hidden_size, batch_first=True, bidirectional=True)
        self.dense = nn.Linear(2 * hidden_size, hidden_size)

    def forward(self, hidden: Tensor, rows: Tensor, spans: Tensor) -> Tensor:
        """Encode subjects. *Shape:* hidden (B, L, H), rows (N,), spans (N, 2) → (N, H)."""
        count = self.positions if self.network is not None else 2
        steps = torch.linspace(0, 1, count, device=spans.device)
        start, end = spans[:, :1].float(), spans[:, 1:].float()
        tokens = hidden[rows.unsqueeze(1), torch.round(start + (end - start) * steps).long()]
        if self.network is not None:
            # A recurrent network refuses an empty batch.
            _, last = self.network(tokens) if tokens.shape[0] else (None, tokens.new_zeros(2, 0, tokens.shape[-1]))
            last = last[0] if isinstance(last, tuple) else last  # an LSTM returns the state of its cells as well
            tokens = last.transpose(0, 1)
        vector: Tensor = self.dense(tokens.flatten(1))
        return vector


class RelativePositions(nn.Module):
    """What the distance of each token to a subject's first and last token adds to the token's state.

    Distances are embedded by a table of positions, |i − start| and |i − end|, and convolved with width 3 as in
    kexue.fm/archives/6671. The convolution runs over the table rather than over every subject's sentence, because the
    result depends on the signed distance alone.
    """

    def __init__(self, position_size: int, hidden_size: int) -> None:
        super().__init__()
        self.start = nn.Conv1d(position_size, hidden_size, 3, bias=False)
        self.end = nn.Conv1d(position_size, hidden_size, 3, bias=False)

    def forward(self, table: Tensor, spans: Tensor, length: int, tokens: Tensor | None = None) -> Tensor:
        """Embed distances. *Shape:* table (positions, P), spans (N, 2), tokens (N, K) → (N, L or K, H)."""
        distances = torch.arange(-length, length + 1, device=table.device).abs().clamp(max=len(table) - 1)
        embedded = table[distances].T.unsqueeze(0)
        signed = (torch.arange(length, device=table.device) if tokens is None else tokens) + length - 1
        parts = [
            nn.functional.embedding(signed - spans[:, side, None], layer(embedded).squeeze(0).T)
            for side, layer in enumerate((self.start, self.end))
        ]
        return parts[0] + parts[1]


class SubjectInsertion(SubjectConditioning):
    """Add to each token of a sentence the subject's vector and the distance to it (kexue.fm/archives/6671)."""

    inserts = True

    def __init__(self, hidden_size: int, position_size: int, cell: str | None, positions: int) -> None:
        super().__init__()
        self.vector = SubjectVector(hidden_size, cell, positions)
        self.distances = RelativePositions(position_size, hidden_size)

    def forward(
        self,
        hidden: Tensor,
        rows: Tensor,
        spans: Tensor,
        positions: Tensor | None = None,
        tokens: Tensor | None = None,
    ) -> Tensor:
        """Return what is added."""
        assert positions is not None
        vector: Tensor = self.vector(hidden, rows, spans)
        distances: Tensor = self.distances(positions, spans, hidden.shape[1], tokens)
        return distances + vector.unsqueeze(1)


Builder = Callable[[SpoConfig, int, int], SubjectConditioning]

CONDITIONINGS: dict[Conditioning, Builder] = {
    Conditioning.LAYER_NORM: lambda config, size, width: ConditionalLayerNorm(size),
    Conditioning.ADDITION: lambda config, size, width: ConditionAddition(size),
    Conditioning.RECURRENT: lambda config, size, width: SubjectInsertion(
        size, width, config.recurrent_cell, config.recurrent_positions
    ),
    Conditioning.CONCATENATION: lambda config, size, width: SubjectInsertion(size, width, None, 2),
}
"""What builds each conditioning, from the config, the hidden size H and the width of a position vector."""

"""Building blocks of the pointer networks: convolutions, conditioning on a subject, heads, gates, probabilities."""

import math
from collections.abc import Sequence

import torch
from torch import nn


class ZeroEmbedding(nn.Embedding):
    """An embedding that starts at zero."""


def convolve(hidden: torch.Tensor, layer: nn.Conv1d) -> torch.Tensor:
    """Apply a convolution over tokens that keeps the length. *Shape:* (B, L, C) → (B, L, H)."""
    # As an image of height 1 whose channels lie innermost, as they do in hidden: on CPUs a fifth faster than conv1d,
    # which turns the tensor around twice.
    image = hidden.transpose(1, 2).unsqueeze(2)
    dilation = layer.dilation[0]
    padding = dilation * (layer.kernel_size[0] // 2)
    image = nn.functional.conv2d(
        image, layer.weight.unsqueeze(2), layer.bias, padding=(0, padding), dilation=(1, dilation)
    )
    return image.squeeze(2).transpose(1, 2)


class GatedConvolution(nn.Conv1d):
    """Residual gated convolution: Y = X·(1 − σ) + Conv₁(X)·σ, with σ = sigmoid(Conv₂(X)) (kexue.fm/archives/5409)."""

    def __init__(self, hidden_size: int, kernel_size: int, dilation: int, gate_dropout_prob: float) -> None:
        super().__init__(hidden_size, 2 * hidden_size, kernel_size, dilation=dilation)
        self.gate_dropout_prob = gate_dropout_prob

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:  # type: ignore[override]  # and a mask
        """Convolve. *Shape:* hidden (B, L, H), zero where the mask (B, L, 1) is → (B, L, H), the same."""
        gate, value = convolve(hidden, self).chunk(2, dim=-1)
        gate = torch.sigmoid(nn.functional.dropout(gate, self.gate_dropout_prob, self.training))
        # The gate's mask is enough: what is hidden stays zero.
        return torch.lerp(hidden, value.to(hidden.dtype), (gate * mask).to(hidden.dtype))


class Convolution(nn.Conv1d):
    """Width-3 convolution over a sentence's channels, masked first: what padding holds does not matter."""

    def __init__(self, channels: int, hidden_size: int) -> None:
        super().__init__(channels, hidden_size, 3)

    def forward(self, channels: Sequence[torch.Tensor], mask: torch.Tensor) -> torch.Tensor:  # type: ignore[override]  # several inputs
        """Convolve channels side by side. *Shape:* each (B, L, C_i), mask (B, L) → (B, L, H)."""
        stacked = torch.cat([channel.to(channels[0].dtype) for channel in channels], dim=-1)
        return convolve(stacked * mask.unsqueeze(-1).to(stacked.dtype), self)


class SelfAttention(nn.Module):
    """Multi-head self-attention without output projection (Vaswani et al. 2017; its use: kexue.fm/archives/6671)."""

    def __init__(self, hidden_size: int, heads: int, head_size: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(hidden_size, 3 * heads * head_size, bias=False)

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Attend to what the mask shows. *Shape:* hidden (B, L, H), mask (B, L) → (B, L, heads · head size)."""
        query, key, value = self.qkv(hidden).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        # Finite, so that a sentence without any token gives no NaN.
        bias = (mask[:, None, None, :].to(query.dtype) - 1) * 1e4
        attended: torch.Tensor
        if torch.is_grad_enabled() and not hidden.is_cuda:
            # Written out: on CPUs, scaled_dot_product_attention takes several times as long on its way back.
            weights = torch.softmax(query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5 + bias, dim=-1)
            attended = weights.to(value.dtype) @ value
        else:
            attended = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return attended.transpose(1, 2).flatten(2)


class ConditionalLayerNorm(nn.Module):
    """Normalise tokens, with a scale and a shift that depend on a condition vector.

    The condition's projections start at zero, so that a fresh layer is a plain LayerNorm
    (kexue.fm/archives/7124, used for subjects in kexue.fm/archives/7161).
    """

    def __init__(self, hidden_size: int, condition_size: int, eps: float = 1e-12) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(hidden_size))
        self.bias = nn.Parameter(torch.zeros(hidden_size))
        self.gamma_dense = nn.Linear(condition_size, hidden_size, bias=False)
        self.beta_dense = nn.Linear(condition_size, hidden_size, bias=False)
        nn.init.zeros_(self.gamma_dense.weight)
        nn.init.zeros_(self.beta_dense.weight)

    def forward(self, hidden: torch.Tensor, condition: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Condition sentence `rows[n]` on vector n.

        *Shape:* hidden (B, L, H), condition (N, C), rows (N,) → (N, L, H). Each sentence is normalised once, however
        many subjects it has.
        """
        normal = nn.functional.layer_norm(hidden, hidden.shape[-1:], eps=self.eps)[rows]
        scale = self.weight + self.gamma_dense(condition)
        shift = self.bias + self.beta_dense(condition)
        return torch.addcmul(shift.unsqueeze(1), normal, scale.unsqueeze(1))


class ConditionAddition(nn.Module):
    """Add a projection of the condition to every token, then normalise: the plain alternative, as in CasRel."""

    def __init__(self, hidden_size: int, condition_size: int, eps: float = 1e-12) -> None:
        super().__init__()
        self.dense = nn.Linear(condition_size, hidden_size)
        self.norm = nn.LayerNorm(hidden_size, eps=eps)

    def forward(self, hidden: torch.Tensor, condition: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Condition sentence `rows[n]` on vector n. *Shape:* (B, L, H), (N, C), (N,) → (N, L, H)."""
        added: torch.Tensor = self.norm(hidden[rows] + self.dense(condition).unsqueeze(1))
        return added


class SubjectVector(nn.Module):
    """One vector for each subject, from the states of its tokens.

    With a cell ("gru" or "lstm"), `positions` tokens between the subject's first and last are read by a bidirectional
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

    def forward(self, hidden: torch.Tensor, rows: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
        """Encode subjects. *Shape:* hidden (B, L, H), rows (N,), spans (N, 2) → (N, H)."""
        count = self.positions if self.network is not None else 2
        steps = torch.linspace(0, 1, count, device=spans.device)
        start, end = spans[:, :1].float(), spans[:, 1:].float()
        tokens = hidden[rows.unsqueeze(1), torch.round(start + (end - start) * steps).long()]
        if self.network is not None:
            # A recurrent network refuses an empty batch.
            _, last = self.network(tokens) if tokens.shape[0] else (None, tokens.new_zeros(2, 0, tokens.shape[-1]))
            last = last[0] if isinstance(last, tuple) else last  # an LSTM's has its cell beside it
            tokens = last.transpose(0, 1)
        vector: torch.Tensor = self.dense(tokens.flatten(1))
        return vector


class RelativePositions(nn.Module):
    """What each token's distance to a subject's first and last token adds to it.

    Distances are embedded by a table of positions, |i − start| and |i − end|, and convolved with width 3 as in
    kexue.fm/archives/6671. The convolution runs over the table rather than over every subject's sentence: the result
    depends on nothing but the signed distance.
    """

    def __init__(self, position_size: int, hidden_size: int) -> None:
        super().__init__()
        self.start = nn.Conv1d(position_size, hidden_size, 3, bias=False)
        self.end = nn.Conv1d(position_size, hidden_size, 3, bias=False)

    def forward(self, table: torch.Tensor, spans: torch.Tensor, length: int) -> torch.Tensor:
        """Embed distances. *Shape:* table (positions, P), spans (N, 2) → (N, L, H)."""
        distances = torch.arange(-length, length + 1, device=table.device).abs().clamp(max=len(table) - 1)
        embedded = table[distances].T.unsqueeze(0)
        signed = torch.arange(length, device=table.device) + length - 1
        parts = [
            nn.functional.embedding(signed - spans[:, side, None], layer(embedded).squeeze(0).T)
            for side, layer in enumerate((self.start, self.end))
        ]
        return parts[0] + parts[1]


class SubjectInsertion(nn.Module):
    """What a subject adds to each token of its sentence: its vector and the distance to it (kexue.fm/archives/6671)."""

    def __init__(self, hidden_size: int, position_size: int, cell: str | None, positions: int) -> None:
        super().__init__()
        self.vector = SubjectVector(hidden_size, cell, positions)
        self.distances = RelativePositions(position_size, hidden_size)

    def forward(
        self, hidden: torch.Tensor, rows: torch.Tensor, spans: torch.Tensor, table: torch.Tensor
    ) -> torch.Tensor:
        """Encode subjects. *Shape:* hidden (B, L, H), rows (N,), spans (N, 2), table (positions, P) → (N, L, H)."""
        vector = self.vector(hidden, rows, spans).unsqueeze(1)
        inserted: torch.Tensor = vector + self.distances(table, spans, hidden.shape[1])
        return inserted


class Perceptron(nn.Module):
    """One hidden layer with ReLU."""

    def __init__(self, hidden_size: int, outputs: int) -> None:
        super().__init__()
        self.dense = nn.Linear(hidden_size, hidden_size)
        self.out = nn.Linear(hidden_size, outputs)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return logits. *Shape:* (…, H) → (…, outputs)."""
        logits: torch.Tensor = self.out(torch.relu(self.dense(hidden)))
        return logits


class GlobalGates(nn.Module):
    """Probabilities that pointers are multiplied by, learnt through the product alone (kexue.fm/archives/6671).

    pn: a token is the border of an entity. pc: a relation occurs in the sentence. po: a token is the border of any
    object of the subject.
    """

    def __init__(self, hidden_size: int, num_relations: int) -> None:
        super().__init__()
        self.entity_start = Perceptron(hidden_size, 1)
        self.entity_end = Perceptron(hidden_size, 1)
        self.relation = Perceptron(hidden_size, num_relations)
        self.any_object = nn.Linear(hidden_size, 1)

    def entities(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return logits of pn. *Shape:* (B, L, H) → (B, L, 2)."""
        return torch.cat([self.entity_start(hidden), self.entity_end(hidden)], dim=-1)

    def relations(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return logits of pc. *Shape:* hidden (B, L, H), mask (B, L) → (B, R)."""
        # Finite, so that a sentence without any token gives no NaN.
        strongest = (hidden + (mask.unsqueeze(-1).to(hidden.dtype) - 1) * 1e4).amax(dim=1)
        logits: torch.Tensor = self.relation(strongest)
        return logits


class PointerHead(nn.Linear):
    """Two logits, start and end, for each token and label.

    Args:
        hidden_size: H.
        num_labels: 1 for subjects, the number of relations for objects.
        power: that probabilities are raised to, see [`powered_sigmoid`].
        initial_probability: that a fresh head gives to every token. Near the share of positives, the first steps are
            not spent on learning that hardly any token is a border (Lin et al. 2017, arXiv:1708.02002, section 4.1).
    """

    def __init__(self, hidden_size: int, num_labels: int, power: int, initial_probability: float) -> None:
        self.initial_bias = inverse_powered_sigmoid(initial_probability, power)
        super().__init__(hidden_size, 2 * num_labels)

    def reset_parameters(self) -> None:
        """Initialise as transformers does a linear layer, but for the bias."""
        nn.init.normal_(self.weight, std=0.02)
        nn.init.constant_(self.bias, self.initial_bias)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Point. *Shape:* (…, L, H) → (…, L, labels, 2)."""
        logits: torch.Tensor = super().forward(hidden).unflatten(-1, (-1, 2))
        return logits


def inverse_powered_sigmoid(probability: float, power: int) -> float:
    """Return the logit whose powered sigmoid is this probability."""
    root: float = probability ** (1 / power)
    return math.log(root / (1 - root))


def powered_sigmoid(logits: torch.Tensor, power: int) -> torch.Tensor:
    """Return sigmoid(logits) ** power, in float32.

    A power above 1 starts a fresh head near zero, which suits labels of which hardly any is set
    (kexue.fm/archives/7161, "概率之n次方").
    """
    probability = torch.sigmoid(logits.float())
    # A general power takes several times as long as the sigmoid, a square hardly any time.
    while power % 2 == 0:
        probability, power = probability.square(), power // 2
    return probability if power == 1 else probability.pow(power)


def powered_cross_entropy(
    logits: torch.Tensor, targets: torch.Tensor, power: int, gates: Sequence[torch.Tensor] = ()
) -> torch.Tensor:
    """Return the element-wise binary cross-entropy between p ** power · Π gates and the targets, in float32.

    *Shape:* logits and targets alike, any; logits of gates, broadcastable to them → the same.
    """
    return cross_entropy(*powered_log_probabilities(logits, power, gates), targets)


def cross_entropy(log_p: torch.Tensor, log_rest: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the element-wise binary cross-entropy, given log p and log(1 − p). *Shape:* all alike."""
    return -(targets * log_p + (1 - targets) * log_rest)


def powered_log_probabilities(
    logits: torch.Tensor, power: int, gates: Sequence[torch.Tensor] = ()
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return log P and log(1 − P) of P = p ** power · Π gates, in float32.

    *Shape:* logits any; logits of gates, broadcastable to them → the same, twice. With p = sigmoid(z), the terms are
    log p^n = n·log p and log(1 − p^n) = log(1 − p) + log(1 + p + … + p^(n−1)); a product's is
    log(1 − pq) = log((1 − p) + p(1 − q)). All are finite, with finite gradients, for every z.
    """
    logits = logits.float()
    p = torch.sigmoid(logits)
    series = torch.ones_like(p)
    for _ in range(power - 1):
        series = 1 + p * series
    log_p = power * nn.functional.logsigmoid(logits)
    log_rest = nn.functional.logsigmoid(-logits) + torch.log(series)
    if gates:
        log_gate, log_gate_rest = _log_product([gate.float() for gate in gates])
        log_rest = torch.logaddexp(log_gate_rest, log_gate + log_rest)
        log_p = log_p + log_gate
    return log_p, log_rest


def _log_product(gates: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return log Π p and log(1 − Π p) of the gates' probabilities p."""
    log_p, log_rest = nn.functional.logsigmoid(gates[0]), nn.functional.logsigmoid(-gates[0])
    for gate in gates[1:]:
        log_rest = torch.logaddexp(log_rest, log_p + nn.functional.logsigmoid(-gate))
        log_p = log_p + nn.functional.logsigmoid(gate)
    return log_p, log_rest

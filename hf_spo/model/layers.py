"""Building blocks of the pointer networks: convolutions, attention, heads, gates, probabilities."""

import math
from collections.abc import Sequence

import torch
from torch import nn


class ZeroEmbedding(nn.Embedding):
    """An embedding that starts at zero."""


def convolve(hidden: torch.Tensor, layer: nn.Conv1d) -> torch.Tensor:
    """Apply a convolution over tokens that keeps the length. *Shape:* (B, L, C) → (B, L, H)."""
    # As an image of height 1 in channels-last layout, which is that of `hidden`: on CPUs a fifth faster than conv1d,
    # which transposes the tensor twice.
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
        # Masking the gate is enough, because hidden is zero there already.
        return torch.lerp(hidden, value.to(hidden.dtype), (gate * mask).to(hidden.dtype))


class Convolution(nn.Conv1d):
    """Width-3 convolution over the channels of a sentence, masked first so that padding has no influence."""

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
        """Attend to the tokens where the mask is 1.

        *Shape:* hidden (B, L, H), mask (B, L) → (B, L, heads · head size).
        """
        query, key, value = self.qkv(hidden).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        # A finite value, so that a sentence without tokens does not give NaN.
        bias = (mask[:, None, None, :].to(query.dtype) - 1) * 1e4
        attended: torch.Tensor
        if torch.is_grad_enabled() and not hidden.is_cuda:
            # Written out, because the backward pass of scaled_dot_product_attention is several times slower on CPUs.
            weights = torch.softmax(query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5 + bias, dim=-1)
            attended = weights.to(value.dtype) @ value
        else:
            attended = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return attended.transpose(1, 2).flatten(2)


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
    """Probabilities that multiply those of the pointers, learnt through the product alone (kexue.fm/archives/6671).

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
        # A finite value, so that a sentence without tokens does not give NaN.
        strongest = (hidden + (mask.unsqueeze(-1).to(hidden.dtype) - 1) * 1e4).amax(dim=1)
        logits: torch.Tensor = self.relation(strongest)
        return logits


class PointerHead(nn.Linear):
    """Two logits, start and end, for each token and label.

    Args:
        hidden_size: H.
        num_labels: 1 for subjects, the number of relations for objects.
        power: exponent of the probabilities, see [`powered_sigmoid`].
        initial_probability: the probability that a fresh head gives to every token. A value near the share of positives
            spares the first steps learning that few tokens are borders (Lin et al. 2017, arXiv:1708.02002, section
            4.1).
    """

    def __init__(self, hidden_size: int, num_labels: int, power: int, initial_probability: float) -> None:
        self.initial_bias = inverse_powered_sigmoid(initial_probability, power)
        super().__init__(hidden_size, 2 * num_labels)

    def reset_parameters(self) -> None:
        """Initialise as transformers initialises a linear layer, except for the bias."""
        nn.init.normal_(self.weight, std=0.02)
        nn.init.constant_(self.bias, self.initial_bias)

    def forward(self, hidden: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """Point for all labels, or for some. *Shape:* hidden (…, L, H), labels (R,) → (…, L, R, 2)."""
        if labels is None:
            logits: torch.Tensor = super().forward(hidden).unflatten(-1, (-1, 2))
            return logits
        weight, bias = (tensor.unflatten(0, (-1, 2))[labels].flatten(0, 1) for tensor in (self.weight, self.bias))
        chosen: torch.Tensor = nn.functional.linear(hidden, weight, bias).unflatten(-1, (-1, 2))
        return chosen


def inverse_powered_sigmoid(probability: float, power: int) -> float:
    """Return the logit whose powered sigmoid is this probability."""
    root: float = probability ** (1 / power)
    return math.log(root / (1 - root))


def powered_sigmoid(logits: torch.Tensor, power: int) -> torch.Tensor:
    """Return sigmoid(logits) ** power, in float32.

    A power above 1 makes a fresh head start near zero, which suits sparse labels (kexue.fm/archives/7161,
    "概率之n次方").
    """
    probability = torch.sigmoid(logits.float())
    # A general power takes several times as long as the sigmoid; a square takes hardly any time.
    while power % 2 == 0:
        probability, power = probability.square(), power // 2
    return probability if power == 1 else probability.pow(power)


def gated_probabilities(logits: torch.Tensor, power: int, gates: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return p ** power · Π gates, in float32. *Shape:* logits any, logits of gates broadcastable to it → the same."""
    probability = powered_sigmoid(logits, power)
    if not gates:
        return probability
    product = torch.sigmoid(gates[0].float())
    for gate in gates[1:]:
        product = product * torch.sigmoid(gate.float())
    return probability * product


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

"""Building blocks of the pointer networks: conditioning on a subject, pointer heads, powered probabilities."""

import math

import torch
from torch import nn


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
    return torch.sigmoid(logits.float()).pow(power)


def powered_cross_entropy(logits: torch.Tensor, targets: torch.Tensor, power: int) -> torch.Tensor:
    """Return the element-wise binary cross-entropy between p ** power and the targets, in float32.

    *Shape:* logits and targets alike, any → the same. With p = sigmoid(z), the terms are log p^n = n·log p and
    log(1 − p^n) = log(1 − p) + log(1 + p + … + p^(n−1)): both finite, with finite gradients, for every z.
    """
    logits = logits.float()
    p = torch.sigmoid(logits)
    series = torch.ones_like(p)
    for _ in range(power - 1):
        series = 1 + p * series
    log_rest = nn.functional.logsigmoid(-logits) + torch.log(series)
    return -(targets * (power * nn.functional.logsigmoid(logits)) + (1 - targets) * log_rest)

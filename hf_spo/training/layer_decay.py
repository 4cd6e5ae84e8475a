"""Layer-wise learning rates: the deeper in the encoder, the less a pretrained weight should move."""

import re
from collections.abc import Sequence

# The lists of layers in transformers' encoders: encoder.layer.3, layers.3, transformer.layer.3, transformer.h.3, …
_LAYER = re.compile(r"(?:^|\.)(?:layers?|blocks?|h)\.(\d+)\.")


def layer_factors(names: Sequence[str], decay: float) -> dict[str, float]:
    """Return the factor of each weight's learning rate: decay^(n − l) in layer l of n, decay^n in the embeddings.

    What comes after the layers has the factor 1 (Howard & Ruder 2018, arXiv:1801.06146, section 3.2; per layer as in
    Clark et al. 2020, arXiv:2003.10555, appendix A).

    Args:
        names: of an encoder's weights.
        decay: 1 gives all of them the factor 1, whatever they are called.

    Raises:
        ValueError: no layers can be told apart by these names.
    """
    if decay == 1:
        return dict.fromkeys(names, 1.0)
    layers = {name: int(found[1]) + 1 for name in names if (found := _LAYER.search(name))}
    if not layers:
        raise ValueError(
            f"layer_decay={decay}: the encoder's weights, such as {next(iter(names), 'none')}, are in no list of "
            f"layers (layer, layers, block, blocks or h); leave layer_decay at 1"
        )
    last = max(layers.values())
    return {name: decay ** (last - layers.get(name, 0 if "embed" in name else last)) for name in names}

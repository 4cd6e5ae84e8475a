"""Batches of similar length."""

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler


class LengthBucketSampler(Sampler[int]):
    """Shuffle items, and put items of similar length into one batch, so that batches have little padding.

    The order depends only on seed and epoch, so that a resumed run goes on with the batches that it has not seen.

    Args:
        lengths: number of tokens of each item.
        batch_size: items of one step of all processes together.
        seed: seed of the order.
        bucket: number of batches whose items are sorted by length together; a larger one pads less and shuffles less.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int = 42, bucket: int = 50) -> None:
        self.lengths = np.asarray(lengths)
        self.batch_size = batch_size
        self.seed = seed
        self.bucket = bucket
        self.epoch = 0

    def set_epoch(self, epoch: int, lengths: Sequence[int] | None = None) -> None:
        """Set the epoch, and the lengths of its items if they change; their number stays the same."""
        self.epoch = epoch
        if lengths is not None:
            self.lengths = np.asarray(lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self.seed, self.epoch])
        order = rng.permutation(len(self))
        size = self.batch_size * self.bucket
        batches: list[np.ndarray] = []
        for at in range(0, len(order), size):
            chunk = order[at : at + size]
            chunk = chunk[np.argsort(self.lengths[chunk], kind="stable")]
            batches += [chunk[i : i + self.batch_size] for i in range(0, len(chunk), self.batch_size)]
        # A short batch stays last, or each batch after it would mix items of two buckets.
        short = [batches.pop()] if batches and len(batches[-1]) < self.batch_size else []
        rng.shuffle(batches)
        for batch in batches + short:
            yield from batch.tolist()

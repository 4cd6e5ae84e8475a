import numpy as np
import pytest
from accelerate.data_loader import BatchSamplerShard
from torch.utils.data import BatchSampler

from hf_spo.data.sampler import LengthBucketSampler

LENGTHS = np.random.default_rng(0).integers(4, 200, size=1003).tolist()


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 1003])
def test_every_index_once(count):
    assert sorted(LengthBucketSampler(LENGTHS[:count], 8)) == list(range(count))
    assert len(LengthBucketSampler(LENGTHS[:count], 8)) == count


def test_the_order_depends_on_seed_and_epoch():
    sampler = LengthBucketSampler(LENGTHS, 8)
    first = list(sampler)
    assert list(sampler) == first == list(LengthBucketSampler(LENGTHS, 8))
    sampler.set_epoch(1)
    second = list(sampler)
    assert second != first
    sampler.set_epoch(0)
    assert list(sampler) == first
    assert list(LengthBucketSampler(LENGTHS, 8, seed=7)) != first


def padding(batches):
    """Share of a batch that is padding, over all."""
    padded = sum(len(batch) * max(LENGTHS[index] for index in batch) for batch in batches)
    return 1 - sum(LENGTHS) / padded


def test_batches_are_of_similar_length_and_in_random_order():
    batches = list(BatchSampler(LengthBucketSampler(LENGTHS, 8), 8, drop_last=False))
    shuffled = list(BatchSampler(np.random.default_rng(0).permutation(len(LENGTHS)), 8, drop_last=False))
    assert padding(batches) < 0.05 < 0.3 < padding(shuffled)
    assert [len(batch) for batch in batches[:-1]] == [8] * (len(batches) - 1)
    means = [np.mean([LENGTHS[index] for index in batch]) for batch in batches]
    assert abs(np.corrcoef(range(len(means)), means)[0, 1]) < 0.2


def test_batches_differ_from_epoch_to_epoch():
    sampler = LengthBucketSampler(LENGTHS, 8, bucket=4)
    first = {frozenset(batch) for batch in BatchSampler(sampler, 8, drop_last=False)}
    sampler.set_epoch(1)
    second = {frozenset(batch) for batch in BatchSampler(sampler, 8, drop_last=False)}
    assert len(first & second) < 3


@pytest.mark.parametrize("count", [1003, 1000, 64])
def test_two_processes_share_the_epoch(count):
    lengths = LENGTHS[:count]
    parts = [
        list(BatchSamplerShard(BatchSampler(LengthBucketSampler(lengths, 16), 8, drop_last=False), 2, process))
        for process in range(2)
    ]
    assert len(parts[0]) == len(parts[1])
    seen = [index for part in parts for batch in part for index in batch]
    assert set(seen) == set(range(count))
    assert len(seen) == -(-count // 16) * 16  # the last batches are filled up from the first ones


def test_two_processes_get_batches_of_similar_length_at_the_same_step():
    """No process waits for another."""
    parts = [
        list(BatchSamplerShard(BatchSampler(LengthBucketSampler(LENGTHS, 16), 8, drop_last=False), 2, process))
        for process in range(2)
    ]
    apart = [
        abs(np.mean([LENGTHS[index] for index in ours]) - np.mean([LENGTHS[index] for index in theirs]))
        for ours, theirs in zip(*parts, strict=True)
    ]
    assert np.mean(apart[:-1]) < 5

import numpy as np
import pytest

from hf_spo.metrics import bootstrap, compare
from hf_spo.metrics.significance import ratios


def counts(*texts):
    """Make the counts of texts from (right, predicted, gold)."""
    return np.array([(right, predicted, right, gold) for right, predicted, gold in texts])


def drawn(seed, texts=150, right=0.5):
    rng = np.random.default_rng(seed)
    gold = rng.integers(1, 4, texts)
    hits = rng.binomial(gold, right)
    return counts(*zip(hits, hits + rng.poisson(0.5, texts), gold, strict=True))


def test_ratios():
    table = ratios(np.array([[3, 4, 3, 6], [0, 0, 0, 0], [0, 2, 0, 0], [2, 2, 1, 2]]))
    assert table == pytest.approx(np.array([[0.75, 0.5, 0.6], [0, 0, 0], [0, 0, 0], [1, 0.5, 2 / 3]]))


def test_interval_holds_the_score_and_shrinks_with_more_texts():
    few, many = drawn(0, 50), drawn(0, 5000)
    widths = []
    for sample in (few, many):
        for name, interval in bootstrap(sample).items():
            score = dict(zip(("precision", "recall", "f1"), ratios(sample.sum(axis=0)), strict=True))[name]
            assert interval.low < score < interval.high
        widths.append(interval.high - interval.low)
    assert widths[0] > 3 * widths[1]


def test_interval_covers_the_truth_about_as_often_as_it_says():
    inside = 0
    for seed in range(100):
        interval = bootstrap(drawn(seed), samples=200, seed=seed)["recall"]
        inside += interval.low <= 0.5 <= interval.high
    assert 88 <= inside <= 100


def test_interval_of_texts_that_are_all_alike_is_a_point():
    (interval,) = {bootstrap(counts(*[(1, 2, 4)] * 7))[name] for name in ("precision",)}
    assert (interval.low, interval.high) == (0.5, 0.5)


def test_the_seed_decides():
    sample = drawn(1)
    assert bootstrap(sample, seed=3) == bootstrap(sample, seed=3) != bootstrap(sample, seed=4)
    assert compare(sample, drawn(2), 200, 3) == compare(sample, drawn(2), 200, 3)


def test_portions_do_not_matter(monkeypatch):
    sample, other = drawn(1), drawn(2)
    whole = bootstrap(sample, 100), compare(sample, other, 100)["f1"].interval
    monkeypatch.setattr("hf_spo.metrics.significance._AT_ONCE", 1000)
    assert (bootstrap(sample, 100), compare(sample, other, 100)["f1"].interval) == whole


def test_the_same_system_twice_does_not_differ():
    sample = drawn(1)
    for difference in compare(sample, sample, 200).values():
        assert difference.difference == 0
        assert (difference.interval.low, difference.interval.high) == (0, 0)
        assert difference.better == 0.5
        assert difference.p_value == 1


def test_a_clear_difference():
    weak, strong = drawn(1, right=0.3), drawn(1, right=0.8)
    there, back = compare(weak, strong, 999)["f1"], compare(strong, weak, 999)["f1"]
    assert there.difference == pytest.approx(-back.difference)
    assert there.difference > 0.2
    assert there.interval.low > 0 > back.interval.high
    assert (there.better, back.better) == (1, 0)
    assert there.p_value == back.p_value == 1 / 1000


def test_chance_alone_is_rarely_significant():
    values = [compare(drawn(seed), drawn(seed + 1000), 200, seed)["f1"].p_value for seed in range(60)]
    assert sum(value < 0.05 for value in values) <= 9
    assert 0.3 < np.mean(values) < 0.7


def test_small_samples_are_counted_exactly():
    """One text that differs: swapping it or not gives the same distance, so chance explains it always."""
    first, second = counts((0, 1, 1), (1, 1, 1)), counts((1, 1, 1), (1, 1, 1))
    assert compare(first, second, 500)["f1"].p_value == 1


@pytest.mark.parametrize(("first", "second", "samples"), [((), (), 10), (((1, 1, 1),), ((1, 1, 1),), 0)])
def test_nothing_to_draw(first, second, samples):
    with pytest.raises(ValueError, match="at least one of each"):
        compare(counts(*first).reshape(-1, 4), counts(*second).reshape(-1, 4), samples)


def test_different_texts():
    with pytest.raises(ValueError, match="2 and 1 texts"):
        compare(counts((1, 1, 1), (1, 1, 1)), counts((1, 1, 1)))

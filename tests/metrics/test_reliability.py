import numpy as np
import pytest

from hf_spo.metrics.reliability import reliability, threshold_curve


def test_by_hand():
    found = reliability([0.05, 0.15, 0.15, 0.95], [False, True, False, True])
    assert [(item.low, item.high, item.count, item.right) for item in found.equal_width.bins] == [
        (0.0, 0.1, 1, 0.0),
        (0.1, 0.2, 2, 0.5),
        (0.9, 1.0, 1, 1.0),
    ]
    assert found.equal_width.ece == pytest.approx((0.05 + 2 * 0.35 + 0.05) / 4)
    assert found.brier == pytest.approx((0.05**2 + 0.85**2 + 0.15**2 + 0.05**2) / 4)
    assert found.triples == sum(item.count for item in found.equal_mass.bins) == 4


@pytest.mark.parametrize(("score", "edges"), [(0.0, (0.0, 0.1)), (0.1, (0.0, 0.1)), (0.3, (0.2, 0.3)), (1.0, (0.9, 1))])
def test_a_bin_has_its_upper_edge(score, edges):
    (item,) = reliability([score], [True]).equal_width.bins
    assert (item.low, item.high) == edges


def test_equal_mass_bins_have_as_many_triples_each():
    scores = np.random.default_rng(0).beta(5, 1, 1003)
    found = reliability(scores.tolist(), [True] * 1003)
    assert {item.count for item in found.equal_mass.bins} == {100, 101}
    assert len(found.equal_mass.bins) == 10


def test_equal_scores_are_not_torn_apart():
    found = reliability([0.2] * 50 + [0.7] * 55, [True] * 10 + [False] * 95)
    assert [(item.score, item.count) for item in found.equal_mass.bins] == [
        (pytest.approx(0.2), 50),
        (pytest.approx(0.7), 55),
    ]


def test_calibrated_scores_have_a_small_error_and_sure_ones_a_large():
    rng = np.random.default_rng(0)
    scores = rng.random(20_000)
    right = (rng.random(20_000) < scores).tolist()
    calibrated, sure = reliability(scores.tolist(), right), reliability([1.0] * 20_000, right)
    assert calibrated.equal_width.ece < 0.02
    assert calibrated.equal_mass.ece < 0.02
    assert sure.equal_width.ece == sure.equal_mass.ece == pytest.approx(0.5, abs=0.02)
    assert calibrated.brier < sure.brier


def test_order_does_not_matter():
    scores, right = [0.9, 0.2, 0.2, 0.7], [True, False, True, False]
    assert reliability(scores, right) == reliability(scores[::-1], right[::-1])


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability(score):
    with pytest.raises(ValueError, match="expected probabilities"):
        reliability([0.5, score], [True, True])


def test_no_triples():
    with pytest.raises(ValueError, match="no scored triples"):
        reliability([], [])
    assert threshold_curve([], [], 3) == ()


def test_threshold_curve():
    curve = {point.threshold: point for point in threshold_curve([0.3, 0.6, 0.9], [False, True, True], 4)}
    assert (curve[0.0].precision, curve[0.0].recall) == (pytest.approx(2 / 3), 0.5)
    assert curve[0.0].f1 == pytest.approx(4 / 7)
    assert (curve[0.6].precision, curve[0.6].recall) == (1, 0.5)
    assert (curve[0.62].precision, curve[0.62].recall) == (1, 0.25)
    assert max(curve) == 0.9
    assert all(point.recall == 0 for point in threshold_curve([0.5], [False], 0))

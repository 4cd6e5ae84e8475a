import numpy as np
import pytest

from hf_spo.metrics.reliability import reliability
from hf_spo.model.calibration import Calibration, CalibrationMethod, fit_calibration


def overconfident(count=4000, seed=0):
    """Scores that promise more than they hold: of triples at p, p² are right."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0.2, 1.0, count)
    return scores, rng.random(count) < scores**2


@pytest.mark.parametrize("method", CalibrationMethod)
class TestFit:
    def test_scores_become_the_share_of_right_ones(self, method):
        calibration = fit_calibration(*map(list, overconfident()), method)
        scores, correct = overconfident(seed=1)
        before, after = reliability(scores, correct), reliability(calibration(scores), correct)
        assert before.equal_mass.ece > 0.1
        assert after.equal_mass.ece < 0.04

    def test_order_is_kept(self, method):
        calibration = fit_calibration(*map(list, overconfident()), method)
        mapped = calibration(np.linspace(0, 1, 500))
        assert (np.diff(mapped) >= 0).all()
        assert ((mapped >= 0) & (mapped <= 1)).all()

    def test_json_round_trip(self, method):
        calibration = fit_calibration(*map(list, overconfident(200)), method)
        again = Calibration.from_dict(calibration.to_dict())
        assert again == calibration
        assert again(np.array([0.3, 0.9])) == pytest.approx(calibration(np.array([0.3, 0.9])))

    @pytest.mark.parametrize(
        ("scores", "correct"), [([], []), ([0.5] * 5, [True] * 4 + [False]), ([0.5] * 40, [True] * 40)]
    )
    def test_too_little_to_fit(self, method, scores, correct):
        with pytest.raises(ValueError, match="pass more labelled texts, or switch calibration off"):
            fit_calibration(scores, correct, method)

    def test_equal_scores_and_separated_ones(self, method):
        one = fit_calibration([0.7] * 40, [True] * 30 + [False] * 10, method)
        assert one(np.array([0.7]))[0] == pytest.approx(0.75, abs=0.03)
        apart = fit_calibration([0.2] * 20 + [0.9] * 20, [False] * 20 + [True] * 20, method)
        low, high = apart(np.array([0.2, 0.9]))
        assert low < 0.2
        assert 0.8 < high < 1


def test_isotonic_pools_what_falls():
    scores = np.repeat([0.1, 0.2, 0.3, 0.4], 10)
    correct = [False] * 10 + [True] * 6 + [False] * 4 + [True] * 2 + [False] * 8 + [True] * 10
    fitted = fit_calibration(scores.tolist(), correct, CalibrationMethod.ISOTONIC)
    # 0.2 and 0.3 are one pool, at their middle: 8 of 20 right, and one more of each kind imagined.
    assert fitted.scores == pytest.approx((0.1, 0.25, 0.4))
    assert fitted.values == pytest.approx((1 / 12, 9 / 22, 11 / 12))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"method": "magic", "values": [1, 0]}, "'magic': expected temperature or isotonic"),
        ({"values": [1, 0]}, "expected temperature or isotonic"),
        ({"method": "temperature", "values": [1]}, "positive scale and a shift"),
        ({"method": "temperature", "values": [-1, 0]}, "positive scale"),
        ({"method": "temperature", "values": [1, 0], "scores": [1, 2]}, "positive scale"),
        ({"method": "temperature", "values": [float("nan"), 0]}, "finite"),
        ({"method": "isotonic", "values": []}, "0 values"),
        ({"method": "isotonic", "values": [0.1, 0.2], "scores": [0.1]}, "2 values and 1 scores"),
        ({"method": "isotonic", "values": [0.1, 0.2], "scores": [0.3, 0.3]}, "increasing"),
        ({"method": "isotonic", "values": [0.2, 0.1], "scores": [0.3, 0.4]}, "non-decreasing"),
        ({"method": "isotonic", "values": [None], "scores": [0.4]}, "expected lists of numbers"),
        ({"method": "isotonic", "values": 3, "scores": [0.4]}, "expected lists of numbers"),
    ],
)
def test_what_is_no_calibration(data, problem):
    with pytest.raises(ValueError, match=problem):
        Calibration.from_dict(data)

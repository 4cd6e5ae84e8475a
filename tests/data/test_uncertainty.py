import pytest

from hf_spo.data.formats.base import Record
from hf_spo.data.uncertainty import by_uncertainty, uncertainty
from hf_spo.model.schema import Mention, Triple


def triples(*scores):
    return tuple(Triple(Mention("雪国"), "导演", Mention("林小川"), {}, score) for score in scores)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((), 0.0),
        ((1.0,), 0.0),
        ((0.0,), 0.0),
        ((0.5,), 1.0),
        ((0.9,), 0.4690),
        ((0.1,), 0.4690),
        ((0.99, 0.9, 0.97), 0.4690),
        ((1e-320,), 0.0),
    ],
)
def test_the_triple_most_in_doubt_counts(scores, expected):
    assert uncertainty(triples(*scores)) == pytest.approx(expected, abs=1e-4)


def test_texts_come_in_the_order_of_doubt():
    records = [Record(str(score), triples(score)) for score in (0.95, 0.6, 1.0, 0.4)] + [Record("none")]
    assert [record.text for record in by_uncertainty(records)] == ["0.6", "0.4", "0.95", "1.0", "none"]


@pytest.mark.parametrize(("score", "problem"), [(None, "no score"), (1.5, r"1\.5"), (float("nan"), "nan")])
def test_what_is_no_probability_is_refused(score, problem):
    with pytest.raises(ValueError, match=problem):
        uncertainty(triples(0.5, score))

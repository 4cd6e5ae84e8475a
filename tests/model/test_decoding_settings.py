import pytest

from hf_spo.model.calibration import Calibration, CalibrationMethod
from hf_spo.model.decoding_settings import DecodingSettings, SpanPairing, Thresholds

CALIBRATION = Calibration(CalibrationMethod.TEMPERATURE, (1.2, -0.1))
SETTINGS = [
    DecodingSettings(),
    DecodingSettings(Thresholds(0.4, 0.3, 0.2, 0.1), SpanPairing.EITHER, CALIBRATION, (0.35,)),
    DecodingSettings(Thresholds(), SpanPairing.ALL, None, (0.1, 0.2, 0.3)),
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_dictionary_form_comes_back(settings):
    assert DecodingSettings.from_dict(settings.to_dict()) == settings


def test_what_is_not_there_has_its_default_and_other_keys_do_not_matter():
    assert DecodingSettings.from_dict({"max_length": 5}) == DecodingSettings()
    found = DecodingSettings.from_dict({"object_end_threshold": 0.25})
    assert found == DecodingSettings(Thresholds(object_end=0.25))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"span_pairing": "farthest"}, "expected one of nearest, either, all"),
        ({"score_threshold": 1.5}, "from 0 to 1"),
        ({"relation_score_thresholds": [0.5, -1]}, "score threshold -1: expected"),
        ({"score_calibration": {"method": "magic"}}, "magic"),
        ({"subject_start_threshold": 2}, "threshold subject_start=2"),
    ],
)
def test_wrong_values_are_named(data, problem):
    with pytest.raises(ValueError, match=problem):
        DecodingSettings.from_dict(data)

import builders
import pytest
from huggingface_hub.errors import StrictDataclassClassValidationError

from hf_spo import EnsembleConfig, SpoConfig
from hf_spo.calibration import Calibration, CalibrationMethod
from hf_spo.decoding_settings import DecodingSettings, SpanPairing
from hf_spo.schema import Thresholds

RELATIONS = builders.SCHEMA.to_list()
CALIBRATION = Calibration(CalibrationMethod.TEMPERATURE, (1.2, -0.1))
SETTINGS = [
    DecodingSettings(),
    DecodingSettings(Thresholds(0.4, 0.3, 0.2, 0.1), SpanPairing.EITHER, CALIBRATION, (0.35,)),
    DecodingSettings(Thresholds(), SpanPairing.ALL, None, tuple(i / 20 for i in range(len(RELATIONS)))),
]


@pytest.fixture(params=["model", "ensemble"])
def config(request):
    if request.param == "model":
        return SpoConfig(encoder_config=builders.encoder_config(), relations=RELATIONS)
    return EnsembleConfig(groups=[["a"]], relations=RELATIONS)


@pytest.mark.parametrize("settings", SETTINGS)
def test_settings_survive_saving(config, settings, tmp_path):
    config.decode_by(settings)
    assert config.decoding == settings
    config.save_pretrained(tmp_path)
    assert type(config).from_pretrained(tmp_path).decoding == settings


def test_later_settings_leave_nothing_of_earlier_ones(config):
    for settings in (*SETTINGS, *reversed(SETTINGS)):
        config.decode_by(settings)
        assert config.decoding == settings


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("span_pairing", "farthest", "expected one of nearest, either, all"),
        ("score_threshold", 1.5, "from 0 to 1"),
        ("relation_score_thresholds", [0.5], "one for each of the 14"),
        ("relation_score_thresholds", [2.0] * 14, "from 0 to 1"),
        ("score_calibration", {"method": "magic"}, "magic"),
        ("subject_start_threshold", -0.1, "subject_start"),
        ("max_length", 2, "at least 3"),
    ],
)
def test_wrong_values_are_named(config, field, value, problem):
    with pytest.raises(StrictDataclassClassValidationError, match=problem):
        type(config)(**{**config.to_dict(), field: value})

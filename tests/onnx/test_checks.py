import pytest
import torch

from hf_spo import load_onnx
from hf_spo.model.decoding_settings import DecodingSettings, Thresholds
from hf_spo.model.ensemble import make_extractor
from hf_spo.onnx import OnnxExportError
from hf_spo.onnx.checks import TEXTS, check_parity
from tests import builders


@pytest.fixture
def exported(exported_folder):
    return load_onnx(exported_folder).extractor()


def test_same_model_passes(trained_model, tiny_tokenizer, exported):
    texts = [item.text for item in builders.EXAMPLES]
    assert check_parity(make_extractor(trained_model, tiny_tokenizer), exported, texts) < 1e-5


def test_other_weights_are_found_out(tiny_tokenizer, exported):
    other = builders.spo_model(builders.encoder_config("bert", len(tiny_tokenizer), size=64), seed=3)
    with pytest.raises(OnnxExportError, match=r"probabilities differ.* by up to 0\.\d+, more than 0\.0001"):
        check_parity(make_extractor(other, tiny_tokenizer), exported, [])


def test_what_is_no_number_is_found_out(tiny_tokenizer, exported):
    broken = builders.spo_model(builders.encoder_config("bert", len(tiny_tokenizer), size=64))
    with torch.no_grad():
        broken.object_head.bias[3] = torch.nan
    with pytest.raises(OnnxExportError, match="by up to nan"):
        check_parity(make_extractor(broken, tiny_tokenizer), exported, [])


def test_other_triples_are_found_out(trained_model, tiny_tokenizer, exported):
    strict = exported.redecoded(DecodingSettings(Thresholds(1.0, 1.0, 1.0, 1.0)))
    reference = make_extractor(trained_model, tiny_tokenizer)
    with pytest.raises(OnnxExportError, match=r"finds other triples than the model in .*'《远山的灯》由林小川"):
        check_parity(reference, strict, [builders.EXAMPLES[0].text])


def test_texts_are_short_and_long(trained_model, tiny_tokenizer):
    lengths = {len(window.encoding) for window in make_extractor(trained_model, tiny_tokenizer).windows(TEXTS)}
    assert min(lengths) <= 3
    assert max(lengths) > 40

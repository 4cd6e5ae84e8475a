import json
from dataclasses import replace

import pytest

from hf_spo.model.calibration import Calibration, CalibrationMethod
from hf_spo.model.decoding_settings import DecodingSettings, SpanPairing, Thresholds
from hf_spo.model.relation_rules import RelationRules
from hf_spo.model.schema import Schema
from hf_spo.onnx.folder import (
    DESCRIPTION_FILE,
    Description,
    OnnxExportError,
    Precision,
    check_target,
    is_export,
)
from tests import builders

RULED = Schema(
    [replace(builders.SCHEMA[0], rules=RelationRules(max_objects=2, strip=("《》",))), *builders.SCHEMA.relations[1:]]
)
DESCRIPTION = Description(
    schema=RULED,
    decoding=DecodingSettings(
        Thresholds(0.4, 0.3, 0.2, 0.1),
        SpanPairing.EITHER,
        Calibration(CalibrationMethod.ISOTONIC, (0.1, 0.9), (0.2, 0.8)),
        tuple(i / 20 for i in range(len(RULED))),
    ),
    max_length=128,
    window=40,
    pad_token_id=0,
    unk_token_id=None,
    segmenter="characters",
    prior=True,
    precision=Precision.INT8,
    opset=20,
    hf_spo_version="0.1.0",
)


class TestDescription:
    def test_comes_back(self, tmp_path):
        DESCRIPTION.save(tmp_path)
        loaded = Description.load(tmp_path)
        assert loaded == DESCRIPTION
        assert loaded.schema[0].rules == RULED[0].rules
        assert is_export(tmp_path)

    def test_is_readable_json(self, tmp_path):
        DESCRIPTION.save(tmp_path)
        assert '"predicate": "主演"' in (tmp_path / DESCRIPTION_FILE).read_text(encoding="utf-8")

    def test_newer_format_is_told_with_its_remedy(self, tmp_path):
        self.change(tmp_path, format_version=2, hf_spo_version="9.0")
        with pytest.raises(ValueError, match=r"format 2, .* up to 1: .*hf-spo 9\.0; upgrade: pip install -U hf-spo"):
            Description.load(tmp_path)

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"precision": "int3"}, "int3"),
            ({"relations": [{}]}, "subject_type"),
            ({"span_pairing": "farthest"}, "farthest"),
            ({"object_end_threshold": 3}, "object_end"),
            ({"format_version": None}, "format_version"),
            ({"max_length": None}, "max_length"),
        ],
    )
    def test_damage_is_named(self, tmp_path, changes, problem):
        self.change(tmp_path, **changes)
        with pytest.raises(ValueError, match=rf"hf_spo_onnx\.json is damaged \(.*{problem}.*export the model again"):
            Description.load(tmp_path)

    def test_what_is_no_json(self, tmp_path):
        (tmp_path / DESCRIPTION_FILE).write_text("{")
        with pytest.raises(ValueError, match="is damaged"):
            Description.load(tmp_path)

    def test_no_export(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"no hf_spo_onnx\.json; make one by `hf-spo export"):
            Description.load(tmp_path)
        with pytest.raises(FileNotFoundError, match="no such folder; make one by `hf-spo export"):
            Description.load(tmp_path / "nowhere")
        (tmp_path / "config.json").write_text("{}")
        with pytest.raises(FileNotFoundError, match=f"export it by `hf-spo export --model {tmp_path} --output"):
            Description.load(tmp_path)
        assert not is_export(tmp_path)

    @staticmethod
    def change(folder, **changes):
        """Write a description with values changed, those of None left out."""
        DESCRIPTION.save(folder)
        path = folder / DESCRIPTION_FILE
        data = {**json.loads(path.read_text(encoding="utf-8")), **changes}
        path.write_text(json.dumps({name: value for name, value in data.items() if name not in changes or value}))


class TestTarget:
    def test_new_empty_or_an_export(self, tmp_path):
        check_target(tmp_path / "new")
        check_target(tmp_path)
        DESCRIPTION.save(tmp_path)
        check_target(tmp_path)

    def test_anything_else(self, tmp_path):
        with pytest.raises(OnnxExportError, match=r"there is no folder .*; create it"):
            check_target(tmp_path / "no" / "where")
        (tmp_path / "file").write_text("")
        with pytest.raises(OnnxExportError, match="is a file"):
            check_target(tmp_path / "file")
        with pytest.raises(OnnxExportError, match="is not empty and is not an ONNX export"):
            check_target(tmp_path)

"""ExtractionOptions: checks, what they make of a model's settings, and everything that is derived from them."""

import inspect

import numpy as np
import pytest
from typer.main import get_command

from hf_spo.cli import app
from hf_spo.model.decoding_settings import DecodingSettings, Thresholds
from hf_spo.model.options import OPTIONS, ExtractionOptions, merge_options, options_table
from hf_spo.model.relation_rules import RelationRules
from hf_spo.model.schema import Relation, Schema
from hf_spo.service.inputs import option_schemas
from tests.builders import SCHEMA

OWN = DecodingSettings(Thresholds(0.1, 0.2, 0.3, 0.4), score_thresholds=(0.7,))


class TestValues:
    def test_all_are_known_and_none_means_the_default(self):
        assert ExtractionOptions.from_dict(dict.fromkeys(OPTIONS)) == ExtractionOptions()

    def test_an_unknown_one_is_refused_with_a_close_match(self):
        message = r"unknown argument treshold; known are batch_tokens, .*, batch_size; did you mean threshold\?"
        with pytest.raises(TypeError, match=message):
            ExtractionOptions.from_dict({"treshold": 1, "top_k": 2})
        for defaults, given in (({"treshold": 1}, {}), ({}, {"treshold": 1})):
            with pytest.raises(TypeError, match=message):
                merge_options(defaults, given)

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("truncation", r"unknown argument truncation: texts are read whole.*on_long=\"warn\""),
            ("device", "unknown argument device: it is set when the pipeline is made"),
            ("candidate_labels", r"unknown argument candidate_labels: relations=\[…\] limits the predicates"),
            ("min_score", "unknown argument min_score: score_threshold drops"),
        ],
    )
    def test_what_other_pipelines_take_is_explained(self, name, message):
        with pytest.raises(TypeError, match=message):
            merge_options({}, {name: 1})

    @pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
    def test_relations_are_names_in_any_collection(self, kind):
        assert ExtractionOptions(relations=kind(["主演"])).relations == ("主演",)

    @pytest.mark.parametrize(
        ("given", "error", "message"),
        [
            ({"score_threshold": 1.5}, ValueError, "score_threshold=1.5: expected a number from 0 to 1, or None"),
            ({"threshold": float("nan")}, ValueError, "threshold=nan: expected a number from 0 to 1"),
            ({"threshold": "0.5"}, TypeError, "threshold='0.5': expected a number from 0 to 1, or None, got str"),
            ({"threshold": True}, TypeError, "threshold=True: expected a number"),
            ({"rules": 1}, TypeError, "rules=1: expected True or False, got int"),
            ({"top_k": 0}, ValueError, "top_k=0: expected a whole number of at least 1, or None"),
            ({"top_k": 1.0}, TypeError, "top_k=1.0: expected a whole number of at least 1, or None, got float"),
            ({"window": 2}, ValueError, "window=2: expected a whole number of at least 3, or None"),
            ({"stride": -1}, ValueError, "stride=-1: expected a whole number of at least 0, or None"),
            ({"batch_tokens": 0}, ValueError, "batch_tokens=0: expected a whole number of at least 1"),
            ({"on_long": "stop"}, ValueError, "on_long='stop': expected one of window, warn, error"),
            ({"relations": "导演"}, TypeError, "relations='导演': expected a list of names, at least one, or None"),
            ({"relations": [3]}, TypeError, "expected a list of names"),
            ({"relations": []}, ValueError, "expected a list of names, at least one"),
        ],
    )
    def test_a_wrong_value_is_refused_with_what_was_expected(self, given, error, message):
        with pytest.raises(error, match=message):
            ExtractionOptions(**given)

    def test_numbers_of_numpy_are_numbers(self):
        assert ExtractionOptions(threshold=np.float32(0.5), top_k=np.int64(3)).top_k == 3


class TestDecoding:
    def test_the_model_s_settings_hold_where_nothing_is_given(self):
        assert ExtractionOptions().decoding(OWN) == OWN

    def test_the_common_threshold_sets_all_borders_but_those_given(self):
        options = ExtractionOptions(threshold=0.6, object_start_threshold=0.0, score_threshold=0)
        expected = DecodingSettings(Thresholds(0.6, 0.6, 0.0, 0.6), score_thresholds=(0,))
        assert options.decoding(OWN) == expected

    def test_a_call_s_common_threshold_goes_before_a_border_of_the_construction(self):
        defaults = {"subject_end_threshold": 0.9, "top_k": 2}
        assert merge_options(defaults, {"threshold": 0.6}) == {"top_k": 2, "threshold": 0.6}
        assert merge_options(defaults, {"threshold": None}) == {**defaults, "threshold": None}
        assert merge_options({"threshold": 0.6}, {"subject_end_threshold": 0.9}) == {
            "threshold": 0.6,
            "subject_end_threshold": 0.9,
        }


class TestRelations:
    schema = Schema(
        [
            Relation("人物", "妻子", "人物", rules=RelationRules(inverse="丈夫")),
            Relation("人物", "丈夫", "人物"),
            Relation("影视作品", "票房", "Number"),
            Relation("影视作品", "票房", "地点", "inArea"),
        ]
    )

    def labels(self, *names, **options):
        return ExtractionOptions(relations=names, **options).labels(self.schema)

    def test_all_slots_of_a_predicate_are_computed(self):
        assert self.labels("票房") == (2, 3)
        assert ExtractionOptions().labels(self.schema) is None

    def test_relations_whose_inverse_is_wanted_are_computed_as_well(self):
        assert self.labels("丈夫") == (0, 1)
        assert self.labels("丈夫", rules=False) == (1,)
        assert self.labels("妻子") == (0,)

    def test_an_unknown_predicate_is_refused_with_close_matches(self):
        with pytest.raises(ValueError, match=r"relations='导眼': .*no such predicate; did you mean 导演"):
            ExtractionOptions(relations=["主演", "导眼"]).labels(SCHEMA)
        with pytest.raises(ValueError, match="no such predicate; known are 丈夫, 妻子, 票房"):
            self.labels("x")


class TestDerived:
    """What cannot be derived from the fields by code is checked against them."""

    def test_command_line(self):
        commands = get_command(app).commands
        for name in ("extract", "show", "evaluate"):
            known = {parameter.name: parameter for parameter in commands[name].params}
            for option, declared in OPTIONS.items():
                assert declared.metadata["schema"]["description"] in known[option].help

    def test_service(self):
        schemas = option_schemas()
        assert schemas.keys() == OPTIONS.keys()
        assert schemas["on_long"]["enum"] == ["window", "error"]
        assert schemas["top_k"] == OPTIONS["top_k"].metadata["schema"]

    def test_spacy(self):
        make_component = pytest.importorskip("hf_spo.integrations.spacy").make_component
        assert list(OPTIONS) == list(inspect.signature(make_component).parameters)[-len(OPTIONS) :]

    def test_table_of_the_documentation(self):
        lines = options_table().splitlines()
        assert lines[0] == "| argument | default | |"
        assert len(lines) == 2 + len(OPTIONS)
        assert "| `rules` | `True` | Apply the rules" in lines[2 + list(OPTIONS).index("rules")]
        assert "| `top_k` | all | Keep at most" in lines[2 + list(OPTIONS).index("top_k")]

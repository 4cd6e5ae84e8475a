"""Calling a loop: what goes in, what comes out, and which arguments are known."""

import pytest

from hf_spo.model.calling import PARAMETERS, call, check_parameters, loop_options
from hf_spo.model.decoding_settings import DecodingSettings
from hf_spo.model.results import Triples
from hf_spo.model.schema import Thresholds, Triple
from tests.builders import mention

TEXT = "白露唱晚风"
TRIPLE = Triple(mention(TEXT, "晚风", "歌曲"), "歌手", mention(TEXT, "白露", "人物"), {}, 0.5)


class Loop:
    """Finds the same triple in every text, and remembers what it was asked."""

    def __call__(self, texts, batch_size=None):
        self.batch_size = batch_size
        return ([TRIPLE] for _ in texts)


class Indexed:
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return TEXT


class TestCall:
    def test_one_text_gives_one_list_of_dictionaries(self):
        assert call(Loop(), TEXT, None) == [TRIPLE.to_dict()]

    @pytest.mark.parametrize("kind", [list, tuple])
    def test_several_texts_give_a_list_each(self, kind):
        assert call(Loop(), kind([TEXT, TEXT]), None) == [[TRIPLE.to_dict()]] * 2

    @pytest.mark.parametrize("stream", [lambda: iter([TEXT, TEXT]), Indexed, lambda: {TEXT: 1, "白露": 2}.keys()])
    def test_a_stream_gives_a_stream(self, stream):
        results = call(Loop(), stream(), None)
        assert iter(results) is results
        assert list(results) == [[TRIPLE.to_dict()]] * 2

    def test_every_result_knows_its_text(self):
        texts = [TEXT, f"{TEXT}吗", TEXT]
        for inputs in (texts, tuple(texts), iter(texts)):
            results = list(call(Loop(), inputs, None))
            assert [result.text for result in results] == texts
            assert all(isinstance(result, Triples) for result in results)
        assert call(Loop(), TEXT, None).text == TEXT

    def test_a_stream_is_read_no_further_than_the_loop_reads_it(self):
        taken = []
        results = call(Loop(), (taken.append(number) or TEXT for number in range(100)), None)
        assert taken == []
        assert [next(results).text, next(results).text] == [TEXT, TEXT]
        assert len(taken) == 2

    def test_the_batch_size_is_passed_on(self):
        loop = Loop()
        call(loop, TEXT, 7)
        assert loop.batch_size == 7

    @pytest.mark.parametrize("value", [None, 3, b"x", {"text": TEXT}])
    def test_anything_else_is_refused_with_what_came(self, value):
        with pytest.raises(TypeError, match=f"expected a text .*got {type(value).__name__}"):
            call(Loop(), value, None)


class TestParameters:
    def test_all_that_is_documented_is_known(self):
        check_parameters(dict.fromkeys(PARAMETERS))
        with pytest.raises(TypeError, match=r"unknown argument tok_p; known are batch_tokens, .*, batch_size"):
            check_parameters({"tok_p": 1, "top_k": 2})

    def test_what_was_not_said_is_the_model_s(self):
        own = DecodingSettings(Thresholds(0.1, 0.2, 0.3, 0.4), score_thresholds=(0.7,))
        assert loop_options({"top_k": None, "window": None}, own) == {"decoding": own, "rules": True}

    def test_what_was_said_goes_first(self):
        own = DecodingSettings(Thresholds(0.1, 0.2, 0.3, 0.4), score_thresholds=(0.7,))
        options = loop_options({"subject_end_threshold": 0.9, "score_threshold": 0, "rules": False, "stride": 0}, own)
        assert options == {
            "decoding": DecodingSettings(Thresholds(0.1, 0.9, 0.3, 0.4), score_thresholds=(0,)),
            "rules": False,
            "stride": 0,
        }

    @pytest.mark.parametrize("value", [-0.1, 1.5])
    def test_a_threshold_is_a_probability(self, value):
        with pytest.raises(ValueError, match=f"score_threshold={value}: expected a probability"):
            loop_options({"score_threshold": value}, DecodingSettings())

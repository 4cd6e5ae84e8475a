"""Models behind the demo: loaded once, asked one at a time, within limits."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from hf_spo.demo.extraction import LOWEST_BORDER, Models, Settings, is_chinese
from tests.demo.demo_fakes import Pipe


class TestSettings:
    def test_zero_is_the_models_own(self):
        assert Settings("base").parameters() == {"threshold": None, "score_threshold": None, "rules": True}

    def test_what_was_set(self):
        parameters = Settings("base", 0.3, 0.7, False).parameters()
        assert parameters == {"threshold": 0.3, "score_threshold": 0.7, "rules": False}

    @pytest.mark.parametrize("border", [LOWEST_BORDER / 2, 1.5, -1])
    def test_borders_out_of_range(self, border):
        with pytest.raises(ValueError, match=r"expected 0, or a number from 0\.05 to 1"):
            Settings("base", border).parameters()


class TestModels:
    def test_loaded_when_first_asked_and_once(self):
        loaded = []

        def load():
            loaded.append(1)
            time.sleep(0.05)
            return Pipe()

        models = Models({"a": load, "b": Pipe})
        assert models.names == ["a", "b"]
        assert not models.is_loaded("a")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: models.loop(Settings("a")), range(4)))
        assert loaded == [1]
        assert models.is_loaded("a")
        assert not models.is_loaded("b")

    def test_one_call_at_a_time(self):
        at_work, most = [], []

        class Slow(Pipe):
            def _loop(self, texts, batch_size=None):
                at_work.append(1)
                most.append(len(at_work))
                time.sleep(0.01)
                at_work.pop()
                return super()._loop(texts)

        loop = Models({"a": Slow}).loop(Settings("a"))
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda text: list(loop([text])), ["甲乙", "丙丁", "戊己", "庚辛"]))
        assert set(most) == {1}
        assert [triples[0].subject.text for (triples,) in found] == ["甲", "丙", "戊", "庚"]

    def test_no_such_model_and_none_at_all(self):
        with pytest.raises(ValueError, match="unknown model 'c'; expected one of a"):
            Models({"a": Pipe}).loop(Settings("c"))
        with pytest.raises(ValueError, match="name at least one"):
            Models({})


def test_chinese():
    assert is_chinese("Film 电影")
    assert not is_chinese("“Harbour Lights” カタカナ")
